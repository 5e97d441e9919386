// SPDX-License-Identifier: BSL-1.0
// Large live heaps of pygc nodes, and the plain depth-first walk that a collection is compared
// with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "nodes.hpp"

namespace bench {

using node_vector = std::vector<pygc::py_ref<pygc_node>>;

/// `count` nodes without references.
inline node_vector make_nodes(std::size_t count) {
    node_vector nodes;
    nodes.reserve(count);
    for (std::size_t i = 0; i != count; ++i) nodes.push_back(pygc_node::make());
    return nodes;
}

/// Two random references each, such that all nodes are reachable from the first: the nodes,
/// shuffled, each take a free reference of a random earlier one; of the references left over one
/// leads to the first, so that every node has an owner, and the others anywhere. (Uniform
/// references alone would reach only 80 % of the nodes.)
inline void link_randomly(node_vector& nodes, std::uint64_t seed = 1) {
    std::mt19937_64 random(seed);
    const std::size_t count = nodes.size();
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    for (std::size_t i = count - 1; i > 1; --i) std::swap(order[i], order[1 + random() % i]);

    std::vector<pygc::py_ref<pygc_node>*> open;
    open.reserve(count + 1);
    const auto open_references_of = [&open](pygc_node& n) {
        open.push_back(&n.a);
        open.push_back(&n.b);
    };
    open_references_of(*nodes[0]);
    for (std::size_t i = 1; i < count; ++i) {
        pygc::py_ref<pygc_node>*& chosen = open[random() % open.size()];
        *chosen = nodes[order[i]];
        chosen = open.back();
        open.pop_back();
        open_references_of(*nodes[order[i]]);
    }
    for (pygc::py_ref<pygc_node>* reference : open) *reference = nodes[random() % count];
    *open.front() = nodes[0];
}

/// References in allocation order: to the next node and to one of the 64 that follow.
inline void link_locally(node_vector& nodes, std::uint64_t seed = 1) {
    std::mt19937_64 random(seed);
    const std::size_t count = nodes.size();
    for (std::size_t i = 0; i != count; ++i) {
        nodes[i]->a = nodes[(i + 1) % count];
        nodes[i]->b = nodes[(i + 1 + random() % 64) % count];
    }
}

/// Visits everything that is reachable from a node, depth first, with a stack of its own and the
/// number of the visit in the node: what no collector that looks at every object could do without.
class walker {
public:
    explicit walker(std::size_t expected) { stack_.reserve(expected); }

    [[gnu::noinline]] std::size_t operator()(pygc_node* root) {
        const std::uint64_t epoch = ++epoch_;
        std::size_t visited = 0;
        root->value = epoch;
        stack_.push_back(root);
        while (!stack_.empty()) {
            pygc_node* node = stack_.back();
            stack_.pop_back();
            ++visited;
            for (pygc_node* next : {node->a.get(), node->b.get()}) {
                if (next == nullptr || next->value == epoch) continue;
                next->value = epoch;
                stack_.push_back(next);
            }
        }
        return visited;
    }

private:
    std::vector<pygc_node*> stack_;
    std::uint64_t epoch_ = 0;
};

} // namespace bench
