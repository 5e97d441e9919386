// SPDX-License-Identifier: BSL-1.0
// expect: this range hands out copies of its references
// A range whose iterators make references up: what a collection nulls must be the owner's own.
#include <pygc/pygc.hpp>

struct node;

struct generated {
    struct iterator {
        pygc::py_ref<node> operator*() const { return nullptr; }
        iterator& operator++() { return *this; }
        bool operator!=(const iterator&) const { return false; }
    };
    iterator begin() const { return {}; }
    iterator end() const { return {}; }
    ~generated() {}
};

struct node : pygc::py_object {
    generated others;
    void traverse(auto& visit) { visit(others); }
};

int main() { static_cast<void>(pygc::make_ref<node>()); }
