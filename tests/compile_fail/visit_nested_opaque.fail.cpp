// SPDX-License-Identifier: BSL-1.0
// expect: pygc_cannot_see_into<std::shared_ptr<int>
// An alternative of a variant that is the value of a map that is a field of a plain struct.
#include <pygc/pygc.hpp>

#include <map>
#include <memory>
#include <variant>

struct node;
struct settings {
    pygc::py_ref<node> owner;
    std::map<int, std::variant<int, std::shared_ptr<int>>> values;
};
struct node : pygc::py_object {
    settings s;
    void traverse(auto& visit) { visit(s); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
