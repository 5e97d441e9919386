// SPDX-License-Identifier: BSL-1.0
// expect-output: ^left main$
// Main returns while detached threads work in heaps of their own, end, and hold what ended threads have made.
#include <pygc/pygc.hpp>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

pygc::py_ref<node> loop() {
    auto n = pygc::make_ref<node>();
    n->next = n;
    return n;
}

std::atomic<int> started{0};

int main() {
    pygc::py_ref<node> left;
    std::thread([&] { left = loop(); }).join();
    std::thread([mine = std::move(left)]() mutable {
        ++started;
        for (;;) { // an ended thread's objects, used as long as the process lasts
            auto another = mine->next;
            mine->next = another;
        }
    }).detach();
    for (int t = 0; t != 5; ++t) {
        std::thread([t] {
            ++started;
            for (int i = 0; i < 2000 * t; ++i) loop().reset();
        }).detach();
    }
    while (started != 6) std::this_thread::yield();
    loop().reset();
    std::puts("left main");
}
