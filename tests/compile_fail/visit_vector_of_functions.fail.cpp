// SPDX-License-Identifier: BSL-1.0
// expect: pygc_cannot_see_into<std::function<void
// expect: pygc: visit() can't see the references inside this type
// What can't be seen into is refused inside of a container too.
#include <pygc/pygc.hpp>

#include <functional>
#include <vector>

struct node : pygc::py_object {
    std::vector<std::function<void()>> on_click;
    void traverse(auto& visit) { visit(on_click); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
