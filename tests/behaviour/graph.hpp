// SPDX-License-Identifier: BSL-1.0
// The node that most behaviours are shown with.
#pragma once

#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <string>
#include <utility>
#include <vector>

namespace support {

struct node : pygc::py_object {
    explicit node(lifetimes& l, std::string n = {}) : name(std::move(n)), life(l) {}
    std::string name;
    probe life;
    pygc::py_ref<node> next;
    std::vector<pygc::py_ref<node>> more;
    void traverse(auto& visit) { visit(next, more); }
};

using node_ref = pygc::py_ref<node>;

inline node_ref make_node(lifetimes& l, std::string name = {}) {
    return pygc::make_ref<node>(l, std::move(name));
}

inline node_ref make_self_loop(lifetimes& l) {
    auto n = make_node(l);
    n->next = n;
    return n;
}

/// A ring of `length` nodes; returns the first.
inline node_ref make_ring(lifetimes& l, int length) {
    auto first = make_node(l);
    auto last = first;
    for (int i = 1; i < length; ++i) {
        last->next = make_node(l);
        last = last->next;
    }
    last->next = first;
    return first;
}

/// A chain of `length` nodes without a cycle; returns the first.
inline node_ref make_chain(lifetimes& l, int length) {
    node_ref first;
    for (int i = 0; i < length; ++i) {
        auto n = make_node(l);
        n->next = std::move(first);
        first = std::move(n);
    }
    return first;
}

} // namespace support
