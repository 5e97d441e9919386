// SPDX-License-Identifier: BSL-1.0
// An immortalized object outlives its references and the program, with what it refers to; its weak references hold.
// expect-output: ^alive 3 untracked$
#include <pygc/pygc.hpp>

#include <cstdio>

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    int id = 0;
    void traverse(auto& visit) { visit(next); }
    ~node() { std::puts("destroyed"); }
};

int main() {
    auto a = pygc::make_ref<node>();
    a->id = 3;
    a->next = pygc::make_ref<node>();
    a->next->next = a;
    pygc::py_weakref<node> w = a;
    pygc::immortalize(a);
    a = nullptr;
    pygc::collect();
    auto b = w.lock();
    std::printf("alive %d %s\n", b->id, pygc::is_tracked(b) ? "tracked" : "untracked");
    if (!b->next) std::puts("lost its peer");
}
