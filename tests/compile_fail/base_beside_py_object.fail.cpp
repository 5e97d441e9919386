// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a py_ref to a derived class converts to a py_ref to its base only if the base derives from pygc::py_object
// The same for a second base that isn't counted.
#include <pygc/pygc.hpp>

struct interface {
    virtual ~interface() = default;
};
struct node : pygc::py_object, interface {};

void convert(pygc::py_ref<node> n) {
    pygc::py_ref<interface> i;
    i = n;
}
