// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 6 of 6$
// Garbage in the heap of one ended thread holds the last object of another's: collecting the first at the
// end of the program ends the second.
#include "at_exit.hpp"

#include <thread>

struct holder : pygc::py_object {
    holder() { ++constructed; }
    ~holder() { ++destroyed; }
    pygc::py_ref<holder> self;
    pygc::py_ref<node> other;
    void traverse(auto& visit) { visit(self, other); }
};

pygc::py_ref<node> shared[3];
pygc::py_ref<holder> holders[3];

int main() {
    for (int i = 0; i != 3; ++i) {
        std::thread([i] { shared[i] = pygc::make_ref<node>(); }).join();
        std::thread([i] {
            holders[i] = pygc::make_ref<holder>();
            holders[i]->self = holders[i];
            holders[i]->other = std::move(shared[i]);
        }).join();
    }
}
