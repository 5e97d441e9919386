// SPDX-License-Identifier: BSL-1.0
// expect: give it a member void traverse(auto& visit), or specialise pygc::traverse_traits for it
// A class with private members and no traverse.
#include <pygc/pygc.hpp>

class part {
public:
    void set(pygc::py_ref<int> r) { r_ = r; }

private:
    pygc::py_ref<int> r_;
};
struct node : pygc::py_object {
    part p;
    void traverse(auto& visit) { visit(p); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
