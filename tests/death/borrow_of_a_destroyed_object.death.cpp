// SPDX-License-Identifier: BSL-1.0
// expect-output: pygc: borrow of the destroyed node at 0x
// In debug mode, no new reference to an object that its destructor let escape is given out.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

struct node : pygc::py_object {
    using pygc_acyclic = void;
    pygc::py_ref<node>* place;
    explicit node(pygc::py_ref<node>& p) : place(&p) {}
    ~node() { *place = pygc::borrow(this); }
};

int main() {
    pygc::py_ref<node> place;
    auto other = pygc::make_ref<node>(place);
    other = nullptr;
    static_cast<void>(pygc::borrow(place.get()));
    return 0;
}
