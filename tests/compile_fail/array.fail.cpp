// SPDX-License-Identifier: BSL-1.0
// expect: pygc: no arrays; use py_ref<std::vector<U>> or py_ref<std::array<U, N>>
#include <pygc/pygc.hpp>

void use(pygc::py_ref<int[]> r) { r.reset(); }
