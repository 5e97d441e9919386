// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 12 of 12$
// thread_locals hold cycles, in main's thread and in one that ends before.
#include "at_exit.hpp"

#include <thread>

thread_local pygc::py_ref<node> before_any_use;

void use() {
    static thread_local pygc::py_ref<node> in_function;
    before_any_use = make_ring(2);
    in_function = make_ring(4);
}

int main() {
    std::thread(use).join();
    if (constructed != 6) return 2;
    use();
}
