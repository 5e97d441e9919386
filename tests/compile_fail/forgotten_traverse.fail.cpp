// SPDX-License-Identifier: BSL-1.0
// expect: pygc: this class has a destructor and neither a traverse nor a promise
// The commonest mistake of a port: nothing shows that the class has references.
#define PYGC_REQUIRE_TRAVERSE 1
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    pygc::py_ref<node> next;
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
