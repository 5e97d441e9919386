// SPDX-License-Identifier: BSL-1.0
// What every workload is given and gives back: parameters, processor time, pauses, memory, one line of JSON.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <time.h> // clock_gettime
#include <unistd.h>

namespace bench {

class parameters {
public:
    void set(const std::string& name, std::int64_t value) { values_[name] = value; }

    /// The value given, which must be there: all contenders run with what the driver says.
    [[nodiscard]] std::int64_t operator[](const char* name) const {
        const auto found = values_.find(name);
        if (found != values_.end()) return found->second;
        std::fprintf(stderr, "error: the parameter %s is missing\n", name);
        std::exit(2);
    }

private:
    std::map<std::string, std::int64_t> values_;
};

[[nodiscard]] inline double nanoseconds(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

/// Processor time of the whole process, the threads of a collector included.
class processor_time {
public:
    [[nodiscard]] double elapsed() const { return nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - start_; }

private:
    double start_ = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
};

[[nodiscard]] inline std::int64_t resident_bytes() {
    long total = 0, resident = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
        std::fclose(file);
    }
    return static_cast<std::int64_t>(resident) * sysconf(_SC_PAGESIZE);
}

/// The same numbers in every language: products stay below 2^53.
class random_numbers {
public:
    std::int64_t below(std::int64_t limit) {
        state_ = state_ * 16807 % 2147483647;
        return state_ % limit;
    }

private:
    std::int64_t state_ = 42;
};

/// Time of each step; the steps follow each other without a gap. What other programs take on a busy machine is
/// left out: of a step of over 100 us of wall time counts the thread's processor time, which is that since the last
/// such step without the short ones between. (To read it at each step would cost more than many steps do.)
class pauses {
public:
    explicit pauses(std::int64_t expected) { times_.reserve(static_cast<std::size_t>(expected)); }

    void begin() {
        processor_ = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
        last_ = nanoseconds(CLOCK_MONOTONIC);
    }
    void step() {
        double now = nanoseconds(CLOCK_MONOTONIC), time = now - last_;
        if (time > 100'000) {
            const double processor = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
            time = std::clamp(processor - processor_ - between_, 0.0, time);
            processor_ = processor;
            between_ = 0;
            now = nanoseconds(CLOCK_MONOTONIC);
        } else {
            between_ += time;
        }
        times_.push_back(time);
        last_ = now;
    }
    [[nodiscard]] double microseconds(double part) {
        if (times_.empty()) return 0;
        std::sort(times_.begin(), times_.end());
        const auto last = static_cast<double>(times_.size() - 1);
        return times_[static_cast<std::size_t>(last * part)] / 1e3;
    }

private:
    std::vector<double> times_;
    double last_ = 0, processor_ = 0, between_ = 0;
};

struct outcome {
    std::int64_t checksum = 0;
    std::int64_t items = 0; ///< what the nanoseconds are divided by
    double nanoseconds = 0; ///< of the part that is measured
    std::map<std::string, double> more = {};

    void add(pauses& p) {
        more["pause_p50_us"] = p.microseconds(0.5);
        more["pause_p99_us"] = p.microseconds(0.99);
        more["pause_max_us"] = p.microseconds(1);
    }

    void print() const {
        std::printf("{\"checksum\": %lld, \"items\": %lld, \"ns_each\": %.3f", static_cast<long long>(checksum),
                    static_cast<long long>(items), nanoseconds / static_cast<double>(items));
        for (const auto& [name, value] : more) std::printf(", \"%s\": %.3f", name.c_str(), value);
        std::printf("}\n");
    }
};

} // namespace bench
