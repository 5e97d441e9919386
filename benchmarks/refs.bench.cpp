// SPDX-License-Identifier: BSL-1.0
// What a reference costs: copying and dropping, moving, and following a chain of them.

#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define PYGC_BENCH_SINGLE_THREADED __libc_single_threaded
#else
#define PYGC_BENCH_SINGLE_THREADED true
#endif

#include "measure.hpp"
#include "nodes.hpp"
#include "per_item.hpp"

namespace {

using bench::escape;

/// Several objects, as in real programs, but few enough for the first-level cache.
constexpr std::size_t width = 256;

template <class Node>
auto make_several() {
    std::vector<decltype(Node::make())> refs;
    for (std::size_t i = 0; i != width; ++i) refs.push_back(Node::make());
    return refs;
}

/// shared_ptr counts with atomic instructions once the process has ever had a second thread, and
/// there is no way back: what measures it without one is registered first.
enum class threads { none, one_was_started };

template <threads Threads>
bool arrange_threads(benchmark::State& state) {
    if constexpr (Threads == threads::one_was_started) {
        std::thread([] {}).join();
    } else if (!PYGC_BENCH_SINGLE_THREADED) {
        state.SkipWithError("a thread has been started before");
        return false;
    }
    return true;
}

template <class Node, threads Threads = threads::none>
void copy_drop(benchmark::State& state) {
    if (!arrange_threads<Threads>(state)) return;
    const auto refs = make_several<Node>();
    for (auto _ : state) {
        for (const auto *r = refs.data(), *end = r + width; r != end; ++r) {
            auto copy = *r;
            escape(copy.get());
        }
    }
    bench::count_items(state, width);
}

/// There and back, which is two moves.
template <class Node, threads Threads = threads::none>
void move(benchmark::State& state) {
    if (!arrange_threads<Threads>(state)) return;
    auto refs = make_several<Node>();
    for (auto _ : state) {
        for (auto *r = refs.data(), *end = r + width; r != end; ++r) {
            auto moved = std::move(*r);
            escape(&moved);
            *r = std::move(moved);
        }
    }
    bench::count_items(state, 2 * width);
}

/// Reads along a chain without owning it.
template <class Node>
void follow(benchmark::State& state) {
    auto refs = make_several<Node>();
    for (std::size_t i = 0; i + 1 != width; ++i) refs[i]->a = refs[i + 1];
    for (auto _ : state) {
        const auto* node = refs[0].get();
        for (std::size_t i = 1; i != width; ++i) node = node->a.get();
        escape(node);
    }
    bench::count_items(state, width - 1);
}

/// Reads along a chain with a reference that moves on, as a cursor does that must keep its node
/// alive.
template <class Node, threads Threads = threads::none>
void follow_owning(benchmark::State& state) {
    if (!arrange_threads<Threads>(state)) return;
    auto refs = make_several<Node>();
    for (std::size_t i = 0; i + 1 != width; ++i) refs[i]->a = refs[i + 1];
    for (auto _ : state) {
        auto cursor = refs[0];
        while (cursor->a.get() != nullptr) cursor = cursor->a;
        escape(cursor.get());
    }
    bench::count_items(state, width - 1);
}

/// A weak reference asks for its object and lets go of it again.
template <class Node, class Weak, threads Threads = threads::none>
void lock(benchmark::State& state) {
    if (!arrange_threads<Threads>(state)) return;
    auto refs = make_several<Node>();
    std::vector<Weak> weak(refs.begin(), refs.end());
    for (auto _ : state) {
        for (const Weak& w : weak) {
            const auto locked = w.lock();
            escape(locked.get());
        }
    }
    bench::count_items(state, width);
}

} // namespace

BENCHMARK_TEMPLATE(copy_drop, bench::pygc_node);
BENCHMARK_TEMPLATE(copy_drop, bench::pygc_plain);
BENCHMARK_TEMPLATE(copy_drop, bench::pygc_leaf);
BENCHMARK_TEMPLATE(copy_drop, bench::hand_node);
#if PYGC_BENCH_BOOST
BENCHMARK_TEMPLATE(copy_drop, bench::boost_node);
#endif
BENCHMARK_TEMPLATE(copy_drop, bench::shared_node);

BENCHMARK_TEMPLATE(move, bench::pygc_node);
BENCHMARK_TEMPLATE(move, bench::hand_node);
#if PYGC_BENCH_BOOST
BENCHMARK_TEMPLATE(move, bench::boost_node);
#endif
BENCHMARK_TEMPLATE(move, bench::shared_node);

BENCHMARK_TEMPLATE(lock, bench::pygc_node, pygc::py_weakref<bench::pygc_node>);
BENCHMARK_TEMPLATE(lock, bench::shared_node, std::weak_ptr<bench::shared_node>);

BENCHMARK_TEMPLATE(follow, bench::pygc_node);
BENCHMARK_TEMPLATE(follow, bench::pygc_plain);
BENCHMARK_TEMPLATE(follow, bench::hand_node);
#if PYGC_BENCH_BOOST
BENCHMARK_TEMPLATE(follow, bench::boost_node);
#endif
BENCHMARK_TEMPLATE(follow, bench::shared_node);

BENCHMARK_TEMPLATE(follow_owning, bench::pygc_node);
BENCHMARK_TEMPLATE(follow_owning, bench::hand_node);
#if PYGC_BENCH_BOOST
BENCHMARK_TEMPLATE(follow_owning, bench::boost_node);
#endif
BENCHMARK_TEMPLATE(follow_owning, bench::shared_node);

// From here on the process has had a thread.
BENCHMARK_TEMPLATE(copy_drop, bench::shared_node, threads::one_was_started);
BENCHMARK_TEMPLATE(copy_drop, bench::pygc_node, threads::one_was_started);
BENCHMARK_TEMPLATE(move, bench::shared_node, threads::one_was_started);
BENCHMARK_TEMPLATE(lock, bench::shared_node, std::weak_ptr<bench::shared_node>, threads::one_was_started);
BENCHMARK_TEMPLATE(follow_owning, bench::shared_node, threads::one_was_started);
BENCHMARK_TEMPLATE(follow_owning, bench::pygc_node, threads::one_was_started);
