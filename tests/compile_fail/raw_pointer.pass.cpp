// SPDX-License-Identifier: BSL-1.0
// The spellings that raw_pointer.fail.cpp should have used.
#include <pygc/pygc.hpp>

struct node : pygc::py_object {};

void adopt(node* raw) {
    pygc::py_ref<node> stolen = pygc::py_ref<node>::steal(raw);
    pygc::py_ref<node> borrowed = pygc::py_ref<node>::borrow(raw);
}
