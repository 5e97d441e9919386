// SPDX-License-Identifier: BSL-1.0
// expect: incomplete
// Following a reference needs the definition.
#include <pygc/pygc.hpp>

struct node;

int use(pygc::py_ref<node> const& r) { return r->value; }
