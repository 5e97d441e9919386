// SPDX-License-Identifier: BSL-1.0
// A traverse that makes objects would change the heap while it is being counted.
// expect-output: pygc: make_ref inside a traverse, of .*node
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) {
        if (!next) next = pygc::make_ref<node>();
        visit(next);
    }
};

int main() {
    auto a = pygc::make_ref<node>();
    pygc::collect();
}
