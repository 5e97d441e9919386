// SPDX-License-Identifier: BSL-1.0
// expect: pygc: the length of a std::unique_ptr<T[]> is unknown; use std::vector<T>
// Nobody knows how many references it owns.
#include <pygc/pygc.hpp>

#include <memory>

struct node : pygc::py_object {
    std::unique_ptr<pygc::py_ref<node>[]> row;
    void traverse(auto& visit) { visit(row); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
