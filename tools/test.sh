#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Sets up, builds and runs all tests of one preset.
# usage: test.sh [--preset NAME] [arguments for ctest...]     (the preset is dev unless named)
set -euo pipefail
cd "$(dirname "$0")/.."

preset=dev
if [ "${1-}" = --preset ]; then
    [ $# -ge 2 ] || { echo "error: --preset needs a name" >&2; exit 2; }
    preset=$2
    shift 2
fi
jobs=${PYGC_JOBS:-$(nproc 2>/dev/null || echo 2)}

fail() {
    echo "error: $1 failed (preset $preset)" >&2
    exit 1
}

extras=()
case $preset in
clang | asan-ubsan | fuzz) extras=(clang) ;;
bench) extras=(benchmarks) ;;
esac
bash tools/setup.sh "${extras[@]}" || exit 1
[ "$preset" != asan-ubsan ] || bash tools/setup.sh clang-sanitizers || exit 1
echo "==> configuring build/$preset"
cmake --preset "$preset" || fail configuring
echo "==> building build/$preset"
cmake --build --preset "$preset" -j "$jobs" || fail building
echo "==> running the tests of build/$preset"
ctest --preset "$preset" -j "$jobs" "$@" || fail "running the tests"
echo "==> all tests of build/$preset passed"
