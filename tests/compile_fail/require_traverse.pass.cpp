// SPDX-License-Identifier: BSL-1.0
// With PYGC_REQUIRE_TRAVERSE: a traverse of its own or of a base, a promise, nothing to destroy, no room for a
// reference, a plain struct or a standard type is all that is asked.
#define PYGC_REQUIRE_TRAVERSE 1
#include <pygc/pygc.hpp>

#include <string>
#include <vector>

struct base : pygc::py_object {
    pygc::py_ref<base> next;
    void traverse(auto& visit) { visit(next); }
};
struct derived : base {
    std::string name;
};
struct leaf : pygc::py_object {
    using pygc_acyclic = void;
    std::string name;
};
struct numbers : pygc::py_object {
    double values[8];
};
struct speaks : pygc::py_object {
    virtual ~speaks() {}
};
struct plain {
    std::string name;
    std::vector<pygc::py_ref<plain>> others;
};

void make() {
    static_cast<void>(pygc::make_ref<derived>());
    static_cast<void>(pygc::make_ref<leaf>());
    static_cast<void>(pygc::make_ref<numbers>());
    static_cast<void>(pygc::make_ref<speaks>());
    static_cast<void>(pygc::make_ref<plain>());
    static_cast<void>(pygc::make_ref<std::string>("text"));
    static_cast<void>(pygc::make_ref<std::vector<int>>({1, 2, 3}));
}
