// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a view or an iterator owns nothing
// A std::reference_wrapper refers to a reference of somebody else.
#include <pygc/pygc.hpp>

#include <functional>

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(std::ref(next)); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
