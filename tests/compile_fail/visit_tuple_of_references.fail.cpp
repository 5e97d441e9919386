// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a reference inside a pair or tuple owns nothing
// What std::tie makes refers to members of somebody else.
#include <pygc/pygc.hpp>

#include <tuple>

struct node : pygc::py_object {
    pygc::py_ref<node> a, b;
    void traverse(auto& visit) { visit(std::tie(a, b)); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
