// SPDX-License-Identifier: BSL-1.0
// Includes pygc from include/: makes a cycle that the file with the single header will collect.
#include <pygc/pygc.hpp>

#include "node.ipp"
#include "parts.hpp"

#ifdef PYGC_SINGLE_INCLUDE_HPP
#error "this file is meant to include the split headers"
#endif

namespace {
pygc::py_ref<node> kept;
}

void split_makes() { kept = make_pair_cycle(); }
void split_drops() { kept = nullptr; }
unsigned long long split_collects() { return pygc::collect(); }
