// SPDX-License-Identifier: BSL-1.0
// expect: pygc_sees_nothing_in<node
// expect: pygc: a raw pointer owns nothing
// expect: visit(pygc::counted(p))
// A member that was not turned into a py_ref.
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    node* left = nullptr;
    pygc::py_ref<node> right;
    void traverse(auto& visit) { visit(left, right); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
