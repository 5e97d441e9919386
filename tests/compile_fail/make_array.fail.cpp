// SPDX-License-Identifier: BSL-1.0
// expect: pygc: no arrays; use
#include <pygc/pygc.hpp>

void make() { static_cast<void>(pygc::make_ref<int[]>(3)); }
