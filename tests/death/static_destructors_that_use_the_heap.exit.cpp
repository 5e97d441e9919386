// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 12 of 12$
// Destructors of statics make objects, collect and drop references, when the heap of main's thread has ended.
#include "at_exit.hpp"

struct user {
    pygc::py_ref<node> mine;
    ~user() {
        mine = make_ring(2);
        static_cast<void>(make_ring(3));
        pygc::collect();
        static_cast<void>(make_ring(1));
    }
};

user early;

int main() {
    static user late;
    late.mine = nullptr;
    static_cast<void>(early.mine);
    if (constructed != 0) return 2;
    std::atexit([] {
        if (pygc::collect() != 0) std::_Exit(3);
    });
}
