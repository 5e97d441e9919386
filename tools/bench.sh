#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Sets up, builds the benchmarks optimised and prints the promised ratios as a Markdown table.
# usage: bench.sh [--all] [OPTION of pygc_ratios...]      --all: Google Benchmark's programs too
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=${PYGC_JOBS:-$(nproc 2>/dev/null || echo 2)}
fail() {
    echo "error: $1 failed" >&2
    exit 1
}

all=false
if [ "${1:-}" = --all ]; then
    all=true
    shift
fi

# Progress goes to stderr: the output proper may be wanted in a file.
bash tools/setup.sh benchmarks >&2 || exit 1
echo "==> configuring build/bench" >&2
cmake --preset bench >/dev/null || fail "configuring build/bench"
targets=(--target pygc_ratios)
if $all; then targets=(); fi
echo "==> building" >&2
cmake --build --preset bench -j "$jobs" "${targets[@]}" >&2 || fail "building"

echo "==> the promised ratios" >&2
build/bench/benchmarks/pygc_ratios "$@" || fail "pygc_ratios"
if ! $all; then exit 0; fi
for program in build/bench/benchmarks/bench_*; do
    if [ ! -x "$program" ]; then continue; fi
    echo "==> ${program##*/}" >&2
    "$program" --benchmark_min_time=0.1 || fail "${program##*/}"
done
