// SPDX-License-Identifier: BSL-1.0
// Linked into the program, or loaded by it and unloaded again.
#include "node.hpp"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

struct derived : base {
    explicit derived(int* count) : ended(count) {}
    ~derived() override { ++*ended; }
    int number() const override { return 2; }
    int* ended;
};

pygc::py_weakref<base>* watched = nullptr;

} // namespace

EXPORTED void make(pygc::py_ref<base>* out, int* ended) { *out = pygc::make_ref<derived>(ended); }

EXPORTED std::size_t collect_in_library() { return pygc::collect(); }

EXPORTED void watch(const pygc::py_ref<base>* r) {
    delete watched;
    watched = r != nullptr ? new pygc::py_weakref<base>(*r) : nullptr;
}

EXPORTED bool is_watched_alive() { return watched != nullptr && !watched->expired(); }

EXPORTED void work_in(pygc::heap* h) {
    pygc::heap::scope const use(*h);
    pygc::make_ref<base>().reset();
}
