// SPDX-License-Identifier: BSL-1.0
// expect: pygc_cannot_see_into<std::any>
// What a std::any owns is known to itself alone.
#include <pygc/pygc.hpp>

#include <any>
#include <optional>

struct node : pygc::py_object {
    std::optional<std::any> value;
    void traverse(auto& visit) { visit(value); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
