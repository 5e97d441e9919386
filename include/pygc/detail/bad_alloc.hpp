// SPDX-License-Identifier: BSL-1.0
// What happens when there is no memory.
#pragma once

#include <cstdio>  // fputs
#include <cstdlib> // abort
#include <new>     // bad_alloc

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

[[noreturn]] PYGC_NOINLINE inline void throw_bad_alloc() {
#if PYGC_EXCEPTIONS
    throw std::bad_alloc();
#else
    std::fputs("pygc: out of memory\n", stderr);
    std::abort();
#endif
}

} // namespace pygc::inline PYGC_ABI::detail
