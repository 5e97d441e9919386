// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a py_function can't see what this callable owns; pass it behind the callable
// What a lambda captured can't be seen.
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    pygc::py_function<void()> callback;
    void traverse(auto& visit) { visit(callback); }
};

void make() {
    auto n = pygc::make_ref<node>();
    n->callback = [n] {};
}
