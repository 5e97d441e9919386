// SPDX-License-Identifier: BSL-1.0
// expect: pygc: derive from pygc::py_object once, publicly and not virtually
#include <pygc/pygc.hpp>

struct left : pygc::py_object {};
struct right : pygc::py_object {};
struct both : left, right {};

void make() { static_cast<void>(pygc::make_ref<both>()); }
