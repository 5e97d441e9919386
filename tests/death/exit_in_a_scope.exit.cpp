// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 5 of 5$
// `exit` within a heap::scope and under a no_collect, neither of which ever ends.
#include "at_exit.hpp"

pygc::py_ref<node> kept;

int main() {
    static_cast<void>(make_ring(2));
    static pygc::heap h;
    pygc::no_collect const pause;
    pygc::heap::scope const use(h);
    kept = make_ring(1);
    static_cast<void>(make_ring(2));
    std::exit(0);
}
