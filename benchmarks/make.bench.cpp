// SPDX-License-Identifier: BSL-1.0
// What it costs to make and drop a node of two references and a 64-bit value, one by one and in
// batches.

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "measure.hpp"
#include "nodes.hpp"
#include "per_item.hpp"

namespace {

using bench::escape;

/// new and delete by hand, with the interface of the others: owns like unique_ptr.
struct by_hand {
    static std::unique_ptr<bench::raw_node> make() {
        return std::unique_ptr<bench::raw_node>(new bench::raw_node);
    }
};

template <class Node>
void one(benchmark::State& state) {
    const auto another = Node::make(); // otherwise each drop would empty pygc's page
    for (auto _ : state) {
        auto node = Node::make();
        escape(node.get());
    }
}

/// The only object of its type.
template <class Node>
void only(benchmark::State& state) {
    for (auto _ : state) {
        auto node = Node::make();
        escape(node.get());
    }
}

enum class order { as_made, reversed, shuffled };

/// 1,000 made, then all dropped.
template <class Node, order Order>
void batch(benchmark::State& state) {
    constexpr std::size_t size = 1000;
    std::vector<std::size_t> sequence(size);
    std::iota(sequence.begin(), sequence.end(), std::size_t{0});
    if (Order == order::reversed) std::reverse(sequence.begin(), sequence.end());
    if (Order == order::shuffled)
        std::shuffle(sequence.begin(), sequence.end(), std::mt19937_64(1));

    std::vector<decltype(Node::make())> nodes(size);
    for (auto _ : state) {
        for (auto& node : nodes) node = Node::make();
        escape(nodes.data());
        for (const std::size_t i : sequence) nodes[i] = {};
        escape(nodes.data());
    }
    bench::count_items(state, size);
}

} // namespace

BENCHMARK_TEMPLATE(one, bench::pygc_node);
BENCHMARK_TEMPLATE(one, bench::pygc_plain);
BENCHMARK_TEMPLATE(one, bench::pygc_leaf);
BENCHMARK_TEMPLATE(one, by_hand);
BENCHMARK_TEMPLATE(one, bench::unique_node);
BENCHMARK_TEMPLATE(one, bench::shared_node);
BENCHMARK_TEMPLATE(one, bench::hand_node);
#if PYGC_BENCH_BOOST
BENCHMARK_TEMPLATE(one, bench::boost_node);
#endif
BENCHMARK_TEMPLATE(only, bench::pygc_node);
BENCHMARK_TEMPLATE(only, bench::pygc_leaf);
BENCHMARK_TEMPLATE(only, by_hand);

#define PYGC_BENCH_BATCHES(order)                                                                  \
    BENCHMARK_TEMPLATE(batch, bench::pygc_node, order);                                            \
    BENCHMARK_TEMPLATE(batch, bench::pygc_plain, order);                                           \
    BENCHMARK_TEMPLATE(batch, bench::pygc_leaf, order);                                            \
    BENCHMARK_TEMPLATE(batch, by_hand, order);                                                     \
    BENCHMARK_TEMPLATE(batch, bench::shared_node, order);                                          \
    BENCHMARK_TEMPLATE(batch, bench::hand_node, order)

PYGC_BENCH_BATCHES(order::as_made);
PYGC_BENCH_BATCHES(order::reversed);
PYGC_BENCH_BATCHES(order::shuffled);
