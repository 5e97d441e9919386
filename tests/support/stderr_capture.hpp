// SPDX-License-Identifier: BSL-1.0
// Catches what is written to stderr while it lives: the library's reports of misuse.
#pragma once

#include <cstdio>
#include <string>

#include <unistd.h>

namespace support {

class stderr_capture {
public:
    stderr_capture() : file_(std::tmpfile()) {
        std::fflush(stderr);
        saved_ = ::dup(2);
        ::dup2(::fileno(file_), 2);
    }
    stderr_capture(stderr_capture const&) = delete;
    stderr_capture& operator=(stderr_capture const&) = delete;
    ~stderr_capture() {
        restore();
        std::fclose(file_);
    }

    /// Stops catching. Returns: everything that was written.
    [[nodiscard]] std::string text() {
        restore();
        std::string result;
        std::rewind(file_);
        for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) {
            result.push_back(static_cast<char>(c));
        }
        return result;
    }

private:
    void restore() {
        if (saved_ < 0) return;
        std::fflush(stderr);
        ::dup2(saved_, 2);
        ::close(saved_);
        saved_ = -1;
    }

    std::FILE* file_;
    int saved_ = -1;
};

/// How often `word` occurs in `text`.
inline int count_of(std::string const& text, std::string const& word) {
    int n = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
    return n;
}

} // namespace support
