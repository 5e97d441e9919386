// SPDX-License-Identifier: BSL-1.0
// What a collection of living objects costs, next to a plain depth-first walk of the same heap.

#include <cstddef>

#include <benchmark/benchmark.h>

#include "graphs.hpp"
#include "measure.hpp"
#include "per_item.hpp"

namespace {

using bench::pygc_node;

constexpr std::size_t objects = 1'000'000;

using link = void (*)(bench::node_vector&, std::uint64_t);

enum class held { all, first };

/// A heap full of nodes, all in the oldest generation.
class live_heap {
public:
    live_heap(link linked, held roots) {
        heap_.disable();
        nodes_ = bench::make_nodes(objects);
        linked(nodes_, 1);
        if (roots == held::first) {
            const auto first = nodes_[0];
            nodes_ = {};
            nodes_.push_back(first);
        }
        heap_.collect();
    }

    pygc::heap& heap() { return heap_; }
    pygc_node* first() { return nodes_[0].get(); }

private:
    pygc::heap heap_;
    pygc::heap::scope use_{heap_};
    bench::node_vector nodes_; // goes before the heap does
};

void full(benchmark::State& state, link linked, held roots) {
    live_heap live(linked, roots);
    for (auto _ : state) {
        if (live.heap().collect() != 0) state.SkipWithError("there was garbage");
    }
    bench::count_items(state, objects);
}

void walk(benchmark::State& state, link linked) {
    live_heap live(linked, held::first);
    bench::walker visit_all(objects);
    for (auto _ : state) {
        if (visit_all(live.first()) != objects) state.SkipWithError("not every node was visited");
    }
    bench::count_items(state, objects);
}

/// Everything is garbage: what a full collection costs when it frees the whole heap.
void full_garbage(benchmark::State& state, link linked) {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    for (auto _ : state) {
        auto nodes = bench::make_nodes(objects);
        linked(nodes, 1);
        nodes = {};
        const bench::stopwatch watch;
        if (heap.collect() != objects) state.SkipWithError("garbage was left over");
        state.SetIterationTime(watch.seconds());
    }
    bench::count_items(state, objects);
}

/// 2,000 fresh objects, all alive, beside as many older ones as the argument says.
void young(benchmark::State& state) {
    constexpr std::size_t fresh = 2000;
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    const auto older = bench::make_nodes(static_cast<std::size_t>(state.range(0)));
    heap.collect();
    for (auto _ : state) {
        auto nodes = bench::make_nodes(fresh);
        bench::link_randomly(nodes);
        const bench::stopwatch watch;
        const std::size_t found = heap.collect(0);
        state.SetIterationTime(watch.seconds());
        if (found != 0) state.SkipWithError("there was garbage");
        // Taken apart, or they would be garbage of an older generation.
        for (auto& node : nodes) node->a = node->b = nullptr;
    }
    bench::count_items(state, fresh);
}

} // namespace

#define PYGC_BENCH_LIVE(function, ...)                                                             \
    BENCHMARK_CAPTURE(function, __VA_ARGS__)->Unit(benchmark::kMillisecond)

PYGC_BENCH_LIVE(full, random_all_held, bench::link_randomly, held::all);
PYGC_BENCH_LIVE(full, random_one_root, bench::link_randomly, held::first);
PYGC_BENCH_LIVE(walk, random, bench::link_randomly);
PYGC_BENCH_LIVE(full, local_all_held, bench::link_locally, held::all);
PYGC_BENCH_LIVE(full, local_one_root, bench::link_locally, held::first);
PYGC_BENCH_LIVE(walk, local, bench::link_locally);
BENCHMARK_CAPTURE(full_garbage, random, bench::link_randomly)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(full_garbage, local, bench::link_locally)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(young)->Arg(0)->Arg(1'000'000)->UseManualTime()->Unit(benchmark::kMicrosecond);
