// SPDX-License-Identifier: BSL-1.0
// Without <windows.h>, which pygc never includes.
#include <pygc/pygc.hpp>

#include "program.ipp"

#if defined(VOID) || defined(MAX_PATH)
#error "pygc included <windows.h>"
#endif
