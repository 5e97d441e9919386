// SPDX-License-Identifier: BSL-1.0
// Includes pygc after CPython's own header: no name or macro of the two may meet.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pygc/pygc.hpp>

#include "node.ipp"
#include "parts.hpp"

unsigned long long python_make_and_collect() {
    make_pair_cycle();
    return pygc::collect();
}
