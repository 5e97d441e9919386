#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Sets up, builds two examples optimised and runs them: the walk-through and the package graph.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=${PYGC_JOBS:-$(nproc 2>/dev/null || echo 2)}
fail() {
    echo "error: $1 failed" >&2
    exit 1
}

bash tools/setup.sh || exit 1
echo "==> configuring build/release"
cmake --preset release >/dev/null || fail "configuring build/release"
echo "==> building the examples"
cmake --build --preset release -j "$jobs" \
    --target example_08_walk_through example_09_package_graph || fail "building the examples"

echo "==> the walk-through: what counting frees, what collecting frees, generation by generation"
build/release/examples/example_08_walk_through || fail "the walk-through"

# On Debian the graph is this machine's own packages, elsewhere the sample that the tests use.
arguments=()
if [ -r /var/lib/dpkg/status ]; then
    echo "==> the package graph of this machine"
else
    echo "==> the package graph of the sample (this machine has no /var/lib/dpkg/status)"
    read -r -a arguments <<<"$(sed "s|@SOURCE@|$PWD/examples|g" examples/09_package_graph.args)"
fi
build/release/examples/example_09_package_graph "${arguments[@]}" || fail "the package graph"
