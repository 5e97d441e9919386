// SPDX-License-Identifier: BSL-1.0
// <windows.h> last: what the library declares by itself must agree with it.
#include <pygc/pygc.hpp>

#include <windows.h>

#include "program.ipp"
