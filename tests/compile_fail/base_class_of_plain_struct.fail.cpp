// SPDX-License-Identifier: BSL-1.0
// expect: pygc: this plain struct can't be taken apart (it has more than 64 fields, a reference or a base class)
// References in a base class could not be told from fields.
#include <pygc/pygc.hpp>

struct base {
    int number;
};
struct derived : base {
    pygc::py_ref<derived> next;
};

void make() { static_cast<void>(pygc::make_ref<derived>()); }
