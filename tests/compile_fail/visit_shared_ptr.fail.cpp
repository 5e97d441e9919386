// SPDX-License-Identifier: BSL-1.0
// expect: pygc: visit() can't see the references inside this type (std::function, std::any and std::shared_ptr
// What a shared_ptr owns is not this object's alone.
#include <pygc/pygc.hpp>

#include <memory>

struct node : pygc::py_object {
    std::shared_ptr<pygc::py_ref<node>> shared;
    void traverse(auto& visit) { visit(shared); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
