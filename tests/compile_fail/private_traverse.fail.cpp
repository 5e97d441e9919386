// SPDX-License-Identifier: BSL-1.0
// expect: pygc: this type's traverse can't be called with a visitor
// A private traverse needs `friend struct pygc::access;`.
#include <pygc/pygc.hpp>

class node : public pygc::py_object {
    pygc::py_ref<node> next_;
    void traverse(pygc::visitor& visit) { visit(next_); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
