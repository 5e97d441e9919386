// SPDX-License-Identifier: BSL-1.0
// expect: pygc: visit() can't see the references inside this type (std::function, std::any and std::shared_ptr
// What a std::function captured can't be seen.
#include <pygc/pygc.hpp>

#include <functional>

struct node : pygc::py_object {
    std::function<void()> callback;
    void traverse(auto& visit) { visit(callback); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
