// SPDX-License-Identifier: BSL-1.0
// Includes pygc from single_include/: makes a cycle that the file with the split headers collects.
#include <pygc/pygc.hpp>

#include "node.ipp"
#include "parts.hpp"

#ifndef PYGC_SINGLE_INCLUDE_HPP
#error "this file is meant to include the single header"
#endif

namespace {
pygc::py_ref<node> kept;
}

void single_makes() { kept = make_pair_cycle(); }
void single_drops() { kept = nullptr; }
unsigned long long single_collects() { return pygc::collect(); }
