// SPDX-License-Identifier: BSL-1.0
// Includes pygc with the macros that <windows.h> defines.
#include <pygc_std_headers.hpp> // generated: libstdc++ would undefine the macros in its first header

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))

#include <pygc/pygc.hpp>

#include "node.ipp"
#include "parts.hpp"

#if !defined(min) || !defined(max)
#error "a header undefined the macros, so this file tests nothing"
#endif

unsigned long long macros_make_and_collect() {
    make_pair_cycle();
    return pygc::collect();
}
