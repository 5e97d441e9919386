// SPDX-License-Identifier: BSL-1.0
// expect: if it is private, write `friend struct pygc::access;`
#include <pygc/pygc.hpp>

class node : public pygc::py_object {
    explicit node(int) {}
};

void make() { static_cast<void>(pygc::make_ref<node>(1)); }
