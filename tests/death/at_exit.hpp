// SPDX-License-Identifier: BSL-1.0
// Counts nodes, and prints the count when everything, statics included, has been destroyed.
#pragma once

#include <pygc/pygc.hpp>

#include <cstdio>
#include <cstdlib>

inline constinit int constructed = 0, destroyed = 0;

struct node : pygc::py_object {
    node() { ++constructed; }
    ~node() { ++destroyed; }
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

inline pygc::py_ref<node> make_ring(int length) {
    auto first = pygc::make_ref<node>();
    auto last = first;
    for (int i = 1; i < length; ++i) {
        last->next = pygc::make_ref<node>();
        last = last->next;
    }
    last->next = first;
    return first;
}

// Runs after the destructors of all statics and of whatever atexit knows.
[[gnu::destructor]] inline void report_at_exit() {
    std::printf("destroyed %d of %d\n", destroyed, constructed);
    std::fflush(stdout);
    if (destroyed != constructed) std::_Exit(1);
}
