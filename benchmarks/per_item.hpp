// SPDX-License-Identifier: BSL-1.0
// Time per object for Google Benchmark's tables, however many objects one iteration handles.
#pragma once

#include <cstddef>

#include <benchmark/benchmark.h>

namespace bench {

/// Adds the column `each`: time divided by iterations and by `items`.
inline void count_items(benchmark::State& state, std::size_t items) {
    state.counters["each"] = benchmark::Counter(static_cast<double>(items),
                                                benchmark::Counter::kIsIterationInvariantRate |
                                                    benchmark::Counter::kInvert);
}

} // namespace bench
