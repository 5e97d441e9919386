// SPDX-License-Identifier: BSL-1.0
// expect: pygc: make_ref<T>(args...): T has no constructor for these arguments; if it is private, write `friend struct pygc::access;`
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    explicit node(int) {}
};

void make() { static_cast<void>(pygc::make_ref<node>("text", 2)); }
