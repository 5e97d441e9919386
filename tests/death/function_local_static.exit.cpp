// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 3 of 3$
// A static inside a function holds a cycle until the end.
#include "at_exit.hpp"

int main() {
    static auto const ring = make_ring(3);
    return ring == nullptr;
}
