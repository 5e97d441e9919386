// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 5 of 5$
// After std::exit locals of main are never destroyed: what they hold stays, the rest goes.
#include "at_exit.hpp"

int main() {
    static auto const kept = make_ring(2);
    static_cast<void>(make_ring(1));
    auto const local = make_ring(2);
    destroyed += 2; // the two that the local holds are counted here
    std::exit(local == nullptr);
}
