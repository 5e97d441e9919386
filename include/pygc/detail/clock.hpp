// SPDX-License-Identifier: BSL-1.0
// The time a collection takes. <chrono> would cost more to include than all of pygc.
#pragma once

#include <ctime>

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Seconds since some moment, by a clock that is not set meanwhile where the system has one.
inline double seconds_now() noexcept {
#if defined(CLOCK_MONOTONIC)
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
#else
    std::timespec t;
    std::timespec_get(&t, TIME_UTC);
#endif
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

} // namespace pygc::inline PYGC_ABI::detail
