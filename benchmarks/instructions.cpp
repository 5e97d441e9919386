// SPDX-License-Identifier: BSL-1.0
// Does one operation N times and nothing else that depends on N: instructions.py counts what it executes.
// usage: pygc_instructions OPERATION N | --list

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

#include "graphs.hpp"
#include "measure.hpp"
#include "nodes.hpp"

namespace {

using bench::escape;
using bench::pygc_node;

using reference = pygc::py_ref<pygc_node>;

template <class Node>
void copy_and_drop(std::size_t count) {
    const auto node = Node::make();
    for (std::size_t i = 0; i != count; ++i) {
        auto other = node;
        escape(other.get());
    }
}

void copy(std::size_t count) {
    const auto node = pygc_node::make();
    for (std::size_t i = 0; i != count; ++i) {
        auto other = node;
        escape(other.release());
    }
}

/// Of one of the references that were counted before: always as many.
void drop(std::size_t count) {
    const auto node = pygc_node::make();
    for (std::size_t i = 0; i != 100'000; ++i) escape(reference(node).release());
    for (std::size_t i = 0; i != count; ++i) {
        auto other = reference::steal(node.get());
        escape(&other);
    }
}

template <class Node>
void dereference(std::size_t count) {
    const auto node = Node::make();
    for (std::size_t i = 0; i != count; ++i) {
        escape(&node);
        ++node->value;
    }
}

/// There and back counts as two.
template <class Node>
void move(std::size_t count) {
    auto node = Node::make();
    for (std::size_t i = 0; i != count; i += 2) {
        auto other = std::move(node);
        escape(&other);
        node = std::move(other);
        escape(&node);
    }
}

template <class Node>
void make(std::size_t count) {
    const auto another = Node::make(); // otherwise each drop would empty pygc's page
    for (std::size_t i = 0; i != count; ++i) {
        auto node = Node::make();
        escape(node.get());
    }
}

/// Other thresholds than the default ones are followed to the letter: each object is counted.
void make_counted(std::size_t count) {
    pygc::set_threshold(2001);
    make<pygc_node>(count);
}

void new_delete(std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) {
        auto* node = new bench::raw_node;
        escape(node);
        delete node;
    }
}

/// A thousand made, then dropped in the same order, again and again.
void make_batches(std::size_t count) {
    bench::node_vector nodes(1000);
    for (std::size_t i = 0; i != count; i += nodes.size()) {
        for (auto& node : nodes) node = pygc_node::make();
        for (auto& node : nodes) node = nullptr;
    }
}

void lock(std::size_t count) {
    const auto node = pygc_node::make();
    const pygc::py_weakref<pygc_node> weak = node;
    for (std::size_t i = 0; i != count; ++i) {
        auto locked = weak.lock();
        escape(locked.get());
    }
}

/// Each is the only one to its object.
void make_weak(std::size_t count) {
    const auto node = pygc_node::make();
    for (std::size_t i = 0; i != count; ++i) {
        pygc::py_weakref<pygc_node> weak = node;
        escape(&weak);
    }
}

void make_pair() {
    auto first = pygc_node::make();
    auto second = pygc_node::make();
    first->a = second;
    second->a = first;
    escape(first.get());
}

/// Two objects each, with the automatic collections that they bring.
void cycle(std::size_t count) {
    for (std::size_t i = 0; i != count; i += 2) make_pair();
}

/// The same, and a young collection of each thousand pairs.
void collected_cycle(std::size_t count) {
    pygc::disable();
    for (std::size_t i = 0; i != count; i += 2000) {
        for (std::size_t j = 0; j != 1000; ++j) make_pair();
        pygc::collect(0);
    }
}

reference make_chain(std::size_t length) {
    reference head;
    for (std::size_t i = 0; i != length; ++i) {
        auto node = pygc_node::make();
        node->a = std::move(head);
        head = std::move(node);
    }
    return head;
}

void make_ring(std::size_t length) {
    const auto first = pygc_node::make();
    auto head = first;
    for (std::size_t i = 1; i != length; ++i) {
        auto node = pygc_node::make();
        node->a = std::move(head);
        head = std::move(node);
    }
    first->a = std::move(head);
}

/// Rings of two thousand, and a young collection of each: all that it sees is garbage.
void collected_ring(std::size_t count) {
    pygc::disable();
    for (std::size_t i = 0; i != count; i += 2000) {
        make_ring(2000);
        pygc::collect(0);
    }
}

// In what follows the work around the operation is always the same, and only the operation is done `count` times: what
// is around it drops out too.

constexpr std::size_t most_batches = 40, batch = 2000;

/// Chains all made, the first ones dropped: node by node, by count.
void drop_chain(std::size_t count) {
    pygc::disable();
    std::vector<reference> chains;
    for (std::size_t i = 0; i != most_batches; ++i) chains.push_back(make_chain(batch));
    chains.erase(chains.begin(), chains.begin() + static_cast<std::ptrdiff_t>(count / batch));
    for (auto& rest : chains) escape(rest.release());
}

/// Young collections of nodes that all survive; `old`: of nodes that have survived one, which makes them old.
void survive(std::size_t count, bool old) {
    pygc::disable();
    std::vector<bench::node_vector> alive; // or the ends of old nodes, which cost more than those of young ones, would count
    for (std::size_t i = 0; i != most_batches; ++i) {
        auto nodes = bench::make_nodes(batch);
        bench::link_randomly(nodes);
        if (old) pygc::collect(0);
        if (i < count / batch) pygc::collect(old ? 1 : 0);
        alive.push_back(std::move(nodes));
    }
    for (auto& nodes : alive) {
        for (auto& node : nodes) escape(node.release());
    }
}

/// Collections of 10,000 living objects until `count` have been examined.
void collect(std::size_t count, bool one_root) {
    pygc::disable();
    auto nodes = bench::make_nodes(10'000);
    bench::link_randomly(nodes);
    const auto root = nodes[0];
    const std::size_t size = nodes.size();
    if (one_root) nodes = {};
    pygc::collect();
    for (std::size_t i = 0; i != count; i += size) pygc::collect();
}

void walk(std::size_t count) {
    pygc::disable();
    auto nodes = bench::make_nodes(10'000);
    bench::link_randomly(nodes);
    bench::walker visit_all(nodes.size());
    for (std::size_t i = 0; i != count; i += nodes.size()) visit_all(nodes[0].get());
}

// Whole programs with the thresholds of the start: `count` nodes, their automatic collections included.

struct parent_tree : pygc::py_object {
    pygc::py_ref<parent_tree> left, right, parent;
    void traverse(auto& visit) { visit(left, right, parent); }
};

pygc::py_ref<parent_tree> make_tree(int depth) {
    auto tree = pygc::make_ref<parent_tree>();
    if (depth > 0) {
        tree->left = make_tree(depth - 1);
        tree->right = make_tree(depth - 1);
        tree->left->parent = tree->right->parent = tree;
    }
    return tree;
}

void parent_trees(std::size_t count) {
    constexpr int depth = 8;
    for (std::size_t nodes = 0; nodes < count; nodes += (std::size_t{2} << depth) - 1) escape(make_tree(depth).get());
}

void growth(std::size_t count) { escape(make_chain(count).release()); }

struct operation {
    std::string_view name;
    std::size_t count; ///< what instructions.py takes for N: enough for a figure with one decimal
    void (*run)(std::size_t count);
};

constexpr operation operations[] = {
    {"copy/py_ref", 10'000, copy},
    {"drop/py_ref", 10'000, drop},
    {"copy+drop/py_ref", 10'000, copy_and_drop<pygc_node>},
    {"copy+drop/py_ref_to_box", 10'000, copy_and_drop<bench::pygc_plain>},
    {"copy+drop/hand_written", 10'000, copy_and_drop<bench::hand_node>},
    {"copy+drop/shared_ptr", 10'000, copy_and_drop<bench::shared_node>},
    {"move/py_ref", 10'000, move<pygc_node>},
    {"move/hand_written", 10'000, move<bench::hand_node>},
    {"move/shared_ptr", 10'000, move<bench::shared_node>},
    {"dereference/py_ref", 10'000, dereference<pygc_node>},
    {"dereference/py_ref_to_box", 10'000, dereference<bench::pygc_plain>},
    {"make+drop/make_ref", 10'000, make<pygc_node>},
    {"make+drop/make_ref_box", 10'000, make<bench::pygc_plain>},
    {"make+drop/make_ref_leaf", 10'000, make<bench::pygc_leaf>},
    {"make+drop/make_ref_counted", 10'000, make_counted},
    {"make+drop/make_ref_batch", 20'000, make_batches},
    {"make+drop/make_shared", 10'000, make<bench::shared_node>},
    {"make+drop/hand_written", 10'000, make<bench::hand_node>},
    {"make+drop/new_delete", 10'000, new_delete},
    {"weak/lock", 10'000, lock},
    {"weak/make+drop", 10'000, make_weak},
    {"cycle/automatic", 40'000, cycle},
    {"cycle/collected", 20'000, collected_cycle},
    {"cycle/ring_collected", 20'000, collected_ring},
    {"chain/drop", 40'000, drop_chain},
    {"collect/young_all_survive", 40'000, [](std::size_t count) { survive(count, false); }},
    {"collect/promotion_to_old", 40'000, [](std::size_t count) { survive(count, true); }},
    {"collect/full_all_held", 20'000, [](std::size_t count) { collect(count, false); }},
    {"collect/full_one_root", 20'000, [](std::size_t count) { collect(count, true); }},
    {"collect/walk", 20'000, walk},
    {"automatic/parent_trees", 50'000, parent_trees},
    {"automatic/growth", 50'000, growth},
};

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--list") {
        for (const operation& o : operations) std::printf("%s %zu\n", o.name.data(), o.count);
        return 0;
    }
    if (argc == 3) {
        const std::string_view name = argv[1];
        const auto count = static_cast<std::size_t>(std::strtoul(argv[2], nullptr, 10));
        for (const operation& o : operations) {
            if (o.name != name) continue;
            o.run(count);
            std::_Exit(0); // what is still alive would cost something at an ordinary end
        }
    }
    std::fputs("usage: pygc_instructions OPERATION N | --list\n", stderr);
    return 2;
}
