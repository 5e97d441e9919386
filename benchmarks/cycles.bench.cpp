// SPDX-License-Identifier: BSL-1.0
// What cycles cost to make and to free: pairs, trees with parents, a ring; and the death of a
// chain.

#include <cstddef>
#include <memory>
#include <utility>

#include <benchmark/benchmark.h>

#include "measure.hpp"
#include "nodes.hpp"
#include "per_item.hpp"

namespace {

using bench::escape;
using bench::pygc_node;

constexpr std::size_t pairs = 10'000;

// Pairs.

void make_cyclic_pair() {
    auto first = pygc_node::make();
    auto second = pygc_node::make();
    first->a = second;
    second->a = first;
    escape(first.get());
}

void pair_cycle_automatic(benchmark::State& state) {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    for (auto _ : state) {
        for (std::size_t i = 0; i != pairs; ++i) make_cyclic_pair();
    }
    bench::count_items(state, 2 * pairs);
}

void pair_cycle_explicit(benchmark::State& state) {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    for (auto _ : state) {
        for (std::size_t i = 0; i != pairs; ++i) make_cyclic_pair();
        if (heap.collect() != 2 * pairs) state.SkipWithError("cycles were left over");
    }
    bench::count_items(state, 2 * pairs);
}

template <class Node>
void pair_acyclic(benchmark::State& state) {
    for (auto _ : state) {
        for (std::size_t i = 0; i != pairs; ++i) {
            auto first = Node::make();
            auto second = Node::make();
            first->a = second;
            escape(first.get());
        }
    }
    bench::count_items(state, 2 * pairs);
}

/// The cycle of a programmer who remembers to take it apart.
void pair_cycle_by_hand(benchmark::State& state) {
    for (auto _ : state) {
        for (std::size_t i = 0; i != pairs; ++i) {
            auto* first = new bench::raw_node;
            auto* second = new bench::raw_node;
            first->a = second;
            second->a = first;
            escape(first);
            delete second;
            delete first;
        }
    }
    bench::count_items(state, 2 * pairs);
}

// Binary trees whose nodes know their parents.

struct pygc_tree : pygc::py_object {
    pygc::py_ref<pygc_tree> left, right, parent;
    void traverse(auto& visit) { visit(left, right, parent); }

    static pygc::py_ref<pygc_tree> make() { return pygc::make_ref<pygc_tree>(); }
    static const pygc::py_ref<pygc_tree>& as_parent(const pygc::py_ref<pygc_tree>& p) { return p; }
};

struct shared_tree {
    std::shared_ptr<shared_tree> left, right;
    std::weak_ptr<shared_tree> parent;

    static std::shared_ptr<shared_tree> make() { return std::make_shared<shared_tree>(); }
    static const std::shared_ptr<shared_tree>& as_parent(const std::shared_ptr<shared_tree>& p) {
        return p;
    }
};

struct unique_tree {
    std::unique_ptr<unique_tree> left, right;
    unique_tree* parent = nullptr;

    static std::unique_ptr<unique_tree> make() { return std::make_unique<unique_tree>(); }
    static unique_tree* as_parent(const std::unique_ptr<unique_tree>& p) { return p.get(); }
};

template <class Tree>
auto make_tree(int depth) {
    auto tree = Tree::make();
    if (depth == 0) return tree;
    tree->left = make_tree<Tree>(depth - 1);
    tree->right = make_tree<Tree>(depth - 1);
    tree->left->parent = Tree::as_parent(tree);
    tree->right->parent = Tree::as_parent(tree);
    return tree;
}

constexpr int depth = 12;
constexpr std::size_t tree_nodes = (std::size_t{2} << depth) - 1;

template <class Tree>
void tree_with_parents(benchmark::State& state) {
    pygc::heap heap; // idle but for pygc_tree
    const pygc::heap::scope use(heap);
    for (auto _ : state) {
        auto tree = make_tree<Tree>(depth);
        escape(tree.get());
        tree = {};
    }
    if (heap.get_memory().objects > 40 * tree_nodes) state.SkipWithError("trees pile up");
    bench::count_items(state, tree_nodes);
}

/// Without automatic collections; one explicit one for each tree.
void tree_with_parents_explicit(benchmark::State& state) {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    for (auto _ : state) {
        auto tree = make_tree<pygc_tree>(depth);
        escape(tree.get());
        tree = {};
        if (heap.collect() != tree_nodes) state.SkipWithError("trees were left over");
    }
    bench::count_items(state, tree_nodes);
}

// One large cycle, and a long chain.

template <class Node>
auto make_chain(std::size_t count) {
    decltype(Node::make()) head{};
    for (std::size_t i = 0; i != count; ++i) {
        auto node = Node::make();
        node->a = std::move(head);
        head = std::move(node);
    }
    return head;
}

void ring_made_and_collected(benchmark::State& state) {
    constexpr std::size_t size = 100'000;
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    for (auto _ : state) {
        auto last = pygc_node::make();
        auto head = last;
        for (std::size_t i = 1; i != size; ++i) {
            auto node = pygc_node::make();
            node->a = std::move(head);
            head = std::move(node);
        }
        last->a = std::move(head);
        last = nullptr;
        if (heap.collect() != size) state.SkipWithError("the ring was left over");
    }
    bench::count_items(state, size);
}

constexpr std::size_t chain = 1'000'000;

void chain_drop(benchmark::State& state) {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    for (auto _ : state) {
        auto head = make_chain<pygc_node>(chain);
        const bench::stopwatch watch;
        head = nullptr;
        state.SetIterationTime(watch.seconds());
    }
    bench::count_items(state, chain);
}

void chain_drop_by_hand(benchmark::State& state) {
    for (auto _ : state) {
        bench::raw_node* head = nullptr;
        for (std::size_t i = 0; i != chain; ++i) head = new bench::raw_node{head, nullptr, 0};
        const bench::stopwatch watch;
        while (head != nullptr) delete std::exchange(head, head->a);
        state.SetIterationTime(watch.seconds());
    }
    bench::count_items(state, chain);
}

} // namespace

BENCHMARK(pair_cycle_automatic)->Unit(benchmark::kMicrosecond);
BENCHMARK(pair_cycle_explicit)->Unit(benchmark::kMicrosecond);
BENCHMARK(pair_cycle_by_hand)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(pair_acyclic, pygc_node)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(pair_acyclic, bench::shared_node)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(pair_acyclic, bench::hand_node)->Unit(benchmark::kMicrosecond);

BENCHMARK_TEMPLATE(tree_with_parents, pygc_tree)->Unit(benchmark::kMicrosecond);
BENCHMARK(tree_with_parents_explicit)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(tree_with_parents, shared_tree)->Unit(benchmark::kMicrosecond);
BENCHMARK_TEMPLATE(tree_with_parents, unique_tree)->Unit(benchmark::kMicrosecond);

BENCHMARK(ring_made_and_collected)->Unit(benchmark::kMicrosecond);

BENCHMARK(chain_drop)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(chain_drop_by_hand)->UseManualTime()->Unit(benchmark::kMillisecond);
