#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs fresh re-entrant programs (tests/reentry) under AddressSanitizer, UndefinedBehaviorSanitizer and, where ptrace is
# permitted, LeakSanitizer: half of the time in debug mode and half without. Prints the seeds and the number of
# operations; on a fault the program, and ends with 1.
# usage: soak.sh MINUTES [arguments for the program, such as --without NAME,NAME or --seed N]
#        soak.sh build      only builds build/soak/pygc_soak_0 and _1
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 1 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
minutes=$1
shift
jobs=${PYGC_JOBS:-$(nproc 2>/dev/null || echo 2)}
# g++ takes half an hour for what clang++ does in two minutes.
compiler=${CXX:-$(command -v clang++ || command -v clang++-14 || echo g++)}
mkdir -p build/soak

for debug in 1 0; do
    program=build/soak/pygc_soak_$debug
    newer=$(find include tests/reentry -newer "$program" -type f 2>/dev/null || echo all)
    [ -x "$program" ] && [ -z "$newer" ] && continue
    echo "==> building $program"
    "$compiler" -std=c++20 -O2 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
        -DPYGC_DEBUG=$debug -I include -I tests tests/reentry/soak.cpp -o "$program"
done
[ "$minutes" != build ] || exit 0

leaks=()
if build/soak/pygc_soak_0 --leaks --seeds 1 1 >build/soak/probe.log 2>&1; then
    leaks=(--leaks)
elif ! grep -q "LeakSanitizer has encountered a fatal error" build/soak/probe.log; then
    cat build/soak/probe.log >&2
    exit 1
else
    echo "==> without LeakSanitizer: ptrace isn't permitted here"
fi

# run DEBUG MINUTES JOBS ARGUMENTS: its words on stdout, what the library reports in a file.
run() {
    local debug=$1 time=$2 processes=$3
    shift 3
    local log=build/soak/reports_$debug.log
    echo "==> PYGC_DEBUG=$debug for $time minutes"
    if ! build/soak/pygc_soak_"$debug" --minutes "$time" --jobs "$processes" "${leaks[@]}" "$@" 2>"$log"; then
        grep -v "while an object dies finds nothing" "$log" | tail -n 60
        return 1
    fi
}

half=$(awk "BEGIN { print $minutes / 2 }")
failed=0
run 1 "$half" "$jobs" "$@" || failed=1
run 0 "$half" "$jobs" "$@" || failed=1
exit $failed
