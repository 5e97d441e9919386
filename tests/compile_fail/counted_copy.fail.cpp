// SPDX-License-Identifier: BSL-1.0
// expect: counted
// A collection must null the pointer in the object, not a copy of it.
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    node* other = nullptr;
    [[nodiscard]] node* get() const { return other; }
    void traverse(auto& visit) { visit(pygc::counted(get())); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
