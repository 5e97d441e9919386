// SPDX-License-Identifier: BSL-1.0
// expect: pygc: this type's traverse can't be called with a visitor; write void traverse(auto& visit)
// Without the check, the class would count as one without references.
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse() {}
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
