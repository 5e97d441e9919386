// SPDX-License-Identifier: BSL-1.0
// expect: pygc: derive from pygc::py_object once, publicly and not virtually
#include <pygc/pygc.hpp>

class node : pygc::py_object {};

void make() { static_cast<void>(pygc::make_ref<node>()); }
