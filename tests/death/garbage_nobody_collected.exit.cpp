// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 2010 of 2010$
// What is garbage already when the program ends goes as well.
#include "at_exit.hpp"

int main() {
    pygc::disable();
    for (int i = 0; i != 1000; ++i) static_cast<void>(make_ring(2));
    static auto const kept = make_ring(10);
}
