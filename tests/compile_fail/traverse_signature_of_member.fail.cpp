// SPDX-License-Identifier: BSL-1.0
// expect: pygc: this type's traverse can't be called with a visitor; write void traverse(auto& visit)
// The same for a class that is only a member.
#include <pygc/pygc.hpp>

class part {
public:
    void traverse(int);

private:
    pygc::py_ref<int> r_;
};
struct node : pygc::py_object {
    part p;
    void traverse(auto& visit) { visit(p); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
