#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that the single header compiles in no more time than <memory> and <vector> together.

usage: compile_time.py [--compiler g++] [--runs 5]

Processor time of -fsyntax-only, not elapsed time: other work on the machine disturbs it less. The
two are measured alternately, after one run of each that is not counted; the medians are compared.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SINGLE = "single header"
STANDARD = "<memory> + <vector>"
TEXTS = {
    SINGLE: "#include <pygc/pygc.hpp>\n",
    STANDARD: "#include <memory>\n#include <vector>\n",
}


def seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if shutil.which(options.compiler) is None:
        print(f"skipped: {options.compiler} is not installed")
        return 0
    include = os.path.join(ROOT, "single_include")
    times: dict[str, list[float]] = {name: [] for name in TEXTS}
    with tempfile.TemporaryDirectory() as folder:
        sources = {}
        for number, (name, text) in enumerate(TEXTS.items()):
            sources[name] = os.path.join(folder, f"{number}.cpp")
            with open(sources[name], "w", encoding="utf-8") as file:
                file.write(text)
        for run in range(options.runs + 1):
            for name, source in sources.items():
                try:
                    time = seconds([options.compiler, "-std=c++20", "-fsyntax-only",
                                    "-I", include, source])
                except subprocess.CalledProcessError:
                    print(f"error: {options.compiler} can't compile the {name}", file=sys.stderr)
                    return 1
                if run:
                    times[name].append(time)
    median = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        print(f"{name:>20}: {median[name] * 1000:5.0f} ms "
              f"({min(values) * 1000:.0f} to {max(values) * 1000:.0f}, {len(values)} runs)")
    print(f"{'ratio':>20}: {median[SINGLE] / median[STANDARD]:.2f}")
    if median[SINGLE] > median[STANDARD]:
        print("error: the single header takes longer than <memory> + <vector>", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
