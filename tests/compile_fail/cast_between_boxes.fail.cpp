// SPDX-License-Identifier: BSL-1.0
// expect: pygc: casts between classes need both to derive from pygc::py_object
#include <pygc/pygc.hpp>

struct base {};
struct derived : base {};

pygc::py_ref<derived> cast(pygc::py_ref<base> b) { return static_pointer_cast<derived>(b); }
