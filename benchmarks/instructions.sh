#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Counts the instructions of each operation with callgrind: the same on a busy machine as on an idle one.
# usage: instructions.sh [PATTERN]      only operations that match the extended regular expression
#
# A figure is the difference between doing it 2N and N times, divided by N: start and end drop out.
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=${PYGC_JOBS:-$(nproc 2>/dev/null || echo 2)}
fail() {
    echo "error: $1 failed" >&2
    exit 1
}

bash tools/setup.sh benchmarks valgrind >&2 || exit 1
cmake --preset bench >/dev/null || fail "configuring build/bench"
cmake --build --preset bench -j "$jobs" --target pygc_instructions >/dev/null || fail "building"
program=build/bench/benchmarks/pygc_instructions

executed() { # OPERATION COUNT
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
        sed -n 's/^.*Collected : \([0-9]*\).*$/\1/p'
}

operations=$("$program" --list | grep -E -e "${1:-.}") || fail "finding an operation that matches $1"
count=100000
echo "| operation | instructions each |"
echo "|---|---:|"
for operation in $operations; do
    once=$(executed "$operation" "$count")
    twice=$(executed "$operation" $((2 * count)))
    if [ -z "$once" ] || [ -z "$twice" ]; then fail "callgrind of $operation"; fi
    awk -v what="$operation" -v difference=$((twice - once)) -v count="$count" \
        'BEGIN { printf "| %s | %.1f |\n", what, difference / count }'
done
