#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Runs fresh re-entrant programs (tests/reentry) under AddressSanitizer and UndefinedBehaviorSanitizer, in debug mode,
# on all cores. Prints the seeds and the number of operations; on a fault the program, and ends with 1.
# usage: soak.sh MINUTES [arguments for the program, such as --without NAME,NAME or --seed N]
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 1 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
minutes=$1
shift
jobs=${PYGC_JOBS:-$(nproc 2>/dev/null || echo 2)}
program=build/soak/pygc_soak
mkdir -p build/soak
"${CXX:-g++}" -std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
    -DPYGC_DEBUG=1 -I include -I tests tests/reentry/soak.cpp -o "$program"
exec "$program" --minutes "$minutes" --jobs "$jobs" "$@"
