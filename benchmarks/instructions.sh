#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Counts the instructions of each operation with callgrind: the same on a busy machine as on an idle one.
# usage: instructions.sh [PATTERN]                     a table; only operations that match the regular expression
#        instructions.sh [PATTERN] --check             compares with the committed figures, fails if they differ
#        instructions.sh [PATTERN] --renew [--reason TEXT]    commits to new ones; a figure that rises needs a reason
set -euo pipefail
cd "$(dirname "$0")/.."

jobs=${PYGC_JOBS:-$(nproc 2>/dev/null || echo 2)}
fail() {
    echo "error: $1 failed" >&2
    exit 1
}

bash tools/setup.sh benchmarks >&2 || exit 1
if ! why=$(bash tools/setup.sh valgrind 2>&1 && valgrind --tool=none true 2>&1); then
    case " $* " in
    *" --check "*) echo "skipped: valgrind can't be used here: ${why##*$'\n'}" && exit 0 ;;
    *) echo "$why" >&2 && exit 1 ;;
    esac
fi
cmake --preset bench >/dev/null || fail "configuring build/bench"
cmake --build --preset bench -j "$jobs" --target pygc_instructions >/dev/null || fail "building"
exec python3 benchmarks/instructions.py "$@"
