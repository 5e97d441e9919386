// SPDX-License-Identifier: BSL-1.0
// expect-output: pygc: a traverse shows .*\n.*in the middle of a container's operation|AddressSanitizer
// A deque shows raw memory while it constructs an element at its front: a collection there needs a no_collect around it.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

#include <cstring>
#include <deque>
#include <memory>

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

struct collects {
    collects() { pygc::collect(); }
};

struct element {
    collects first; // the reference behind it isn't constructed yet
    pygc::py_ref<node> reference;
    element() {} // provided, lest the memory is set to zero first
    void traverse(auto& visit) { visit(reference); }
};

/// Memory that was used before.
template <class T>
struct dirty_allocator {
    using value_type = T;
    dirty_allocator() = default;
    template <class U>
    dirty_allocator(dirty_allocator<U> const&) {}
    T* allocate(std::size_t n) {
        T* const p = std::allocator<T>().allocate(n);
        std::memset(static_cast<void*>(p), 0x58, n * sizeof(T));
        return p;
    }
    void deallocate(T* p, std::size_t n) { std::allocator<T>().deallocate(p, n); }
    friend bool operator==(dirty_allocator, dirty_allocator) { return true; }
};

struct owner : pygc::py_object {
    std::deque<element, dirty_allocator<element>> elements;
    void traverse(auto& visit) { visit(elements); }
};

int main() {
    auto o = pygc::make_ref<owner>();
    for (int i = 0; i != 200; ++i) o->elements.emplace_front();
    return 0;
}
