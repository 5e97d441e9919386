// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 9 of 9$
// Heaps that are statics end before and after the statics that hold their objects.
#include "at_exit.hpp"

pygc::py_ref<node> first;
pygc::heap in_the_middle;
pygc::py_ref<node> last;

int main() {
    pygc::heap::scope const use(in_the_middle);
    first = make_ring(2);
    last = make_ring(3);
    static_cast<void>(make_ring(4));
}
