// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a py_ref refers to objects
#include <pygc/pygc.hpp>

void use(pygc::py_ref<int&> r) { r.reset(); }
