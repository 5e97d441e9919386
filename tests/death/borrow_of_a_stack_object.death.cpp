// SPDX-License-Identifier: BSL-1.0
// expect-output: pygc: borrow of an object that make_ref did not make at 0x
// In debug mode, a reference to an object on the stack is refused.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    pygc::py_ref<node> self() { return pygc::borrow(this); }
};

int main() {
    auto const good = pygc::make_ref<node>();
    if (good->self() != good) return 0;
    node local;
    static_cast<void>(local.self());
    return 0;
}
