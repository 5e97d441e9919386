// SPDX-License-Identifier: BSL-1.0
// expect-output: ^pygc: used by another thread than its heap's; objects belong to one thread at a time: document at
// A worker that lives on makes documents which main borrows: both change the same pages.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

#include <atomic>
#include <thread>

struct document : pygc::py_object {
    pygc::py_ref<document> next;
    void traverse(auto& visit) { visit(next); }
};

int main() {
    pygc::py_ref<document> handed_over;
    std::atomic<bool> made{false};
    std::thread([&] {
        handed_over = pygc::make_ref<document>();
        made = true;
        for (;;) std::this_thread::yield();
    }).detach();
    while (!made) std::this_thread::yield();
    auto const mine = pygc::borrow(handed_over.get());
}
