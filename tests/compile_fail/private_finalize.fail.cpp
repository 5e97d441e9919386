// SPDX-License-Identifier: BSL-1.0
// expect: pygc: this type's finalize can't be called
// A private finalize needs `friend struct pygc::access;`: without it, it must not pass for none.
#include <pygc/pygc.hpp>

class node : public pygc::py_object {
    void finalize() {}
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
