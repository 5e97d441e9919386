#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Sets up, builds pygc's peers and runs all workloads for all of them; see docs/benchmarks.md.
# usage: run.sh [--quick | --smoke] [--publish] [--only NAMES] [--report-only]
set -euo pipefail
cd "$(dirname "$0")/.."

bash tools/setup.sh benchmarks >&2 || exit 1
# A peer that can't be installed is reported and left out, nothing more.
peers=(libgc nim php java node)
if ! bash tools/setup.sh "${peers[@]}" >/dev/null 2>&1; then
    for peer in "${peers[@]}"; do
        bash tools/setup.sh "$peer" >/dev/null 2>&1 || echo "==> $peer can't be installed here" >&2
    done
fi
exec python3 benchmarks/run.py "$@"
