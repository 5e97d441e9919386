// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a py_ref to a derived class converts to a py_ref to its base only if the base derives from pygc::py_object
// A box knows nothing of bases inside it.
#include <pygc/pygc.hpp>

struct base {
    virtual ~base() = default;
};
struct derived : base {};

pygc::py_ref<base> convert(pygc::py_ref<derived> d) { return d; }
