// SPDX-License-Identifier: BSL-1.0
// What base_class_of_plain_struct.fail.cpp and too_many_fields.fail.cpp are told to write.
#include <pygc/pygc.hpp>

struct base {
    int number;
};
struct derived : base {
    pygc::py_ref<derived> next;
    void traverse(auto& visit) { visit(next); }
};

void make() { static_cast<void>(pygc::make_ref<derived>()); }
