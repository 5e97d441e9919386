// SPDX-License-Identifier: BSL-1.0
// expect-output: ^pygc: dropped by another thread than its heap's, and kept for good; objects belong to one thread at a time: document at
// A worker that lives on makes documents which main drops: in debug mode they are reported, and nothing is destroyed twice.
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
    std::atomic<int> step{0};
    std::thread worker([&] {
        handed_over = pygc::make_ref<document>();
        step = 1;
        while (step != 2) std::this_thread::yield();
        pygc::collect();
    });
    while (step != 1) std::this_thread::yield();
    handed_over = nullptr;
    step = 2;
    worker.join();
}
