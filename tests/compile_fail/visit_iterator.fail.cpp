// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a view or an iterator owns nothing
// An iterator leads to a reference, and owns none.
#include <pygc/pygc.hpp>

#include <list>

struct node : pygc::py_object {
    std::list<pygc::py_ref<node>> others;
    void traverse(auto& visit) { visit(others.begin()); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
