// SPDX-License-Identifier: BSL-1.0
// expect-output: ^pygc: used by another thread than its own; it belongs to one at a time: the heap at
// Two threads are in a scope of one heap at once.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

#include <thread>

int main() {
    pygc::heap h;
    pygc::heap::scope const use(h);
    std::thread([&] { pygc::heap::scope const use_too(h); }).join();
}
