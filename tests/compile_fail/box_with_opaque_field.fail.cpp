// SPDX-License-Identifier: BSL-1.0
// expect: pygc_cannot_see_into<generator>
// expect: pygc: visit() can't see the references inside this type
// A plain struct is seen into by its fields, and one of them is a class that shows nothing.
#include <pygc/pygc.hpp>

class generator {
public:
    ~generator() { delete state_; }
    pygc::py_ref<int>* begin() { return state_; }
    pygc::py_ref<int>* end() { return state_ + 1; }

private:
    pygc::py_ref<int>* state_ = nullptr;
};
struct job {
    generator source;
    pygc::py_ref<job> next;
};

void make() { static_cast<void>(pygc::make_ref<job>()); }
