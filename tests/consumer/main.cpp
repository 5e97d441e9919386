// SPDX-License-Identifier: BSL-1.0
// The program of every consumer project: makes a cycle of two objects, drops it, collects it.
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    pygc::py_ref<node> other;
    void traverse(auto& visit) { visit(other); }
};

int main() {
    auto a = pygc::make_ref<node>(), b = pygc::make_ref<node>();
    a->other = b;
    b->other = a;
    a = nullptr;
    b = nullptr;
    return pygc::collect() == 2 ? 0 : 1;
}
