// SPDX-License-Identifier: BSL-1.0
// expect-output: pygc: borrow of a dead node at 0x|use-after-poison
// In debug mode, a reference to an object that died is refused.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    int value = 0;
};

int main() {
    auto const other = pygc::make_ref<node>(); // keeps the page
    auto n = pygc::make_ref<node>();
    node* const raw = n.get();
    n = nullptr;
    static_cast<void>(pygc::borrow(raw));
    return 0;
}
