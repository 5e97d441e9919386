// SPDX-License-Identifier: BSL-1.0
// expect-output: pygc: a traverse shows .*\n.*in the middle of a container's operation|AddressSanitizer
// The destructor of a plain struct in a container is no death: a collection there needs a no_collect around it.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

#include <vector>

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

struct element {
    pygc::py_ref<node> before, after;
    element() = default;
    element(element&&) noexcept = default;
    ~element() {
        before.~py_ref(); // as a member whose destructor has run, and whose memory is still shown
        pygc::collect();
        ::new (static_cast<void*>(&before)) pygc::py_ref<node>();
    }
    void traverse(auto& visit) { visit(before, after); }
};

struct owner : pygc::py_object {
    std::vector<element> elements;
    void traverse(auto& visit) { visit(elements); }
};

int main() {
    auto o = pygc::make_ref<owner>();
    o->elements.resize(10);
    for (auto& e : o->elements) e.before = pygc::make_ref<node>();
    o->elements.clear();
    return 0;
}
