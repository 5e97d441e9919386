// SPDX-License-Identifier: BSL-1.0
// expect: pygc: this plain struct can't be taken apart
// A class derived from a container is none: it may have other members, or hide its elements.
#include <pygc/pygc.hpp>

#include <vector>

struct node;
struct list : std::vector<pygc::py_ref<node>> {
    pygc::py_ref<node> last;
};
struct node : pygc::py_object {
    list others;
    void traverse(auto& visit) { visit(others); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
