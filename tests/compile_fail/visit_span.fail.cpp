// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a view or an iterator owns nothing
// A span shows references that somebody else owns.
#include <pygc/pygc.hpp>

#include <memory>
#include <span>

struct node : pygc::py_object {
    std::unique_ptr<pygc::py_ref<node>[]> kids{new pygc::py_ref<node>[2]};
    void traverse(auto& visit) { visit(std::span(kids.get(), 2)); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
