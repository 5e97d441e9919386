// SPDX-License-Identifier: BSL-1.0
// Programs from numbers, and programs as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace reentry {

/// splitmix64: the same numbers everywhere. `length`: about twice that of most programs.
inline std::vector<std::uint8_t> bytes_of_seed(std::uint64_t seed, std::uint64_t length = 400) {
    std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 0x243f6a8885a308d3u;
    const auto next = [&state] {
        std::uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    };
    // Most are short: so are the programs that fail.
    const std::uint64_t longest = next() % 8 == 0 ? 2000 : length;
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(40 + next() % longest));
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(next() >> 24);
    return bytes;
}

inline std::string to_hex(const std::vector<std::uint8_t>& bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string s;
    for (std::uint8_t b : bytes) {
        s += digits[b >> 4];
        s += digits[b & 15];
    }
    return s;
}

inline std::vector<std::uint8_t> from_hex(const std::string& text) {
    std::vector<std::uint8_t> bytes;
    const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<std::uint8_t>(value(text[i]) * 16 + value(text[i + 1])));
    }
    return bytes;
}

} // namespace reentry
