// SPDX-License-Identifier: BSL-1.0
// <windows.h> first, without NOMINMAX and WIN32_LEAN_AND_MEAN, as most programs include it.
#include <windows.h>

#include <pygc/pygc.hpp>

#include "program.ipp"

#if !defined(interface) || !defined(near)
#error "<windows.h> defines fewer macros than this file is to test"
#endif
