// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 35 of 35$
// Statics hold what ended threads made: acyclic, cyclic, and across their heaps.
#include "at_exit.hpp"

#include <thread>
#include <vector>

std::vector<pygc::py_ref<node>> kept;

int main() {
    for (int i = 0; i != 5; ++i) {
        std::thread([] {
            auto ring = make_ring(3);
            auto holder = pygc::make_ref<node>();
            holder->next = ring;
            kept.push_back(holder);
            kept.push_back(pygc::make_ref<node>());
            if (kept.size() > 2) kept.back()->next = kept[kept.size() - 4]; // in an older heap
            static_cast<void>(make_ring(2));
        }).join();
    }
}
