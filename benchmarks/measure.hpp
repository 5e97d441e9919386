// SPDX-License-Identifier: BSL-1.0
// What all benchmarks measure with: a stopwatch, a median, and a way to keep the compiler honest.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include <time.h> // clock_gettime

namespace bench {

/// The value must exist here, and all memory that others can reach may change here.
template <class T>
[[gnu::always_inline]] inline void escape(T* p) noexcept {
    asm volatile("" : : "r"(p) : "memory");
}

/// Counts processor time where that is known: what other programs take on a busy machine is theirs.
class stopwatch {
public:
    [[nodiscard]] double nanoseconds() const { return now() - start_; }
    [[nodiscard]] double seconds() const { return nanoseconds() * 1e-9; }

private:
    static double now() {
#if defined(CLOCK_THREAD_CPUTIME_ID)
        timespec t;
        if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0) {
            return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
        }
#endif
        return std::chrono::duration<double, std::nano>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }

    double start_ = now();
};

/// Nanoseconds that one of `count` things took when `run()` did them all.
template <class Run>
[[nodiscard]] double time_each(std::size_t count, Run&& run) {
    const stopwatch watch;
    run();
    return watch.nanoseconds() / static_cast<double>(count);
}

[[nodiscard]] inline double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

} // namespace bench
