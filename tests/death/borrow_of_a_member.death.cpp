// SPDX-License-Identifier: BSL-1.0
// expect-output: pygc: borrow of an object inside another outer at 0x
// In debug mode, a reference to an object that is a member of another is refused.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

struct inner : pygc::py_object {
    int value = 0;
};
struct outer : pygc::py_object {
    int before = 0;
    inner member;
};

int main() {
    auto const o = pygc::make_ref<outer>();
    if (pygc::borrow(o.get()) != o) return 0;
    static_cast<void>(pygc::borrow(&o->member));
    return 0;
}
