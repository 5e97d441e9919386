// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a raw pointer owns nothing
// A container of members that were not turned into py_refs.
#include <pygc/pygc.hpp>

#include <vector>

struct node : pygc::py_object {
    std::vector<node*> others;
    void traverse(auto& visit) { visit(others); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
