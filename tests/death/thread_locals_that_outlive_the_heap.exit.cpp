// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 144 of 144$
// Destructors of thread_locals that were made before the thread's heap run after its last collection: twelve of them
// pause it, make cycles, and let its last object go.
#include "at_exit.hpp"

#include <thread>
#include <vector>

template <int>
struct late {
    bool used = false;
    pygc::py_ref<node> kept;
    ~late() {
        if (!used) return;
        kept.reset();
        pygc::heap& h = pygc::heap::current();
        pygc::no_collect const pause(h);
        pygc::make_ref<node>().reset();
        static_cast<void>(make_ring(2));
        kept = make_ring(1);
        h.collect();
        kept->next = nullptr;
    }
};
template <int N>
late<N>& local() {
    static thread_local late<N> l;
    return l;
}

template <int... N>
void use() {
    ((local<N>().used = true), ...);
    ((local<N>().kept = pygc::make_ref<node>()), ...);
    static_cast<void>(make_ring(12));
}

int main() {
    for (int i = 0; i != 2; ++i) std::thread([] { use<1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12>(); }).join();
}
