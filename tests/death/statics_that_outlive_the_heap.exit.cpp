// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 14 of 14$
// Destructors of statics work in the heap of main's thread, which has ended: they pause it, put another in its place,
// ask it for its callbacks, and let its last object go meanwhile.
#include "at_exit.hpp"

pygc::py_ref<node> last;

struct pauses {
    ~pauses() {
        pygc::no_collect const pause;
        pygc::make_ref<node>().reset();
        static_cast<void>(make_ring(2));
    }
};
struct changes {
    ~changes() {
        pygc::heap mine;
        {
            pygc::heap::scope const use(mine);
            static_cast<void>(make_ring(2));
            last.reset(); // of the heap that comes back
        }
        static_cast<void>(make_ring(3));
    }
};
struct asks {
    ~asks() {
        pygc::heap& h = pygc::heap::current();
        pygc::make_ref<node>().reset();
        h.callbacks().append([](auto...) {});
        static_cast<void>(h.callbacks().size());
        h.visit_objects([](auto const&) {});
        h.set_threshold(1);
        static_cast<void>(make_ring(4));
    }
};

asks first;
changes second;
pauses third;

int main() {
    static pygc::heap& known = pygc::heap::current();
    struct uses_known {
        ~uses_known() {
            if (&known != &pygc::heap::current()) std::_Exit(4);
            known.collect();
        }
    };
    static uses_known fourth;
    last = pygc::make_ref<node>();
}
