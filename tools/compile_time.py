#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Measures what the library costs a build, next to the standard headers that it replaces.

usage: compile_time.py [--compiler g++] [--runs 5] [--table]

Whole compilations to an object file, without and with optimisation: of a file that only includes the
header, and of one with a class, a graph and a collection. Processor time: other work on the machine
disturbs it less than elapsed time. Each pair is measured alternately, after one run that is not
counted; the medians are compared. --table prints Markdown.
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

PYGC_USE = """#include <pygc/pygc.hpp>
#include <vector>
struct node : pygc::py_object {
    std::vector<pygc::py_ref<node>> next;
    void traverse(auto& visit) { visit(next); }
};
int main() {
    auto a = pygc::make_ref<node>(), b = pygc::make_ref<node>();
    a->next.push_back(b);
    b->next.push_back(a);
    a = b = nullptr;
    return pygc::collect() == 2 ? 0 : 1;
}
"""
SHARED_USE = """#include <memory>
#include <vector>
struct node {
    std::vector<std::shared_ptr<node>> next;
};
int main() {
    auto a = std::make_shared<node>(), b = std::make_shared<node>();
    a->next.push_back(b);
    b->next.push_back(a);
    a->next.clear();
    a = b = nullptr;
    return 0;
}
"""
# What it is, the library's text, the standard library's, and the ratio that is too much. A use is
# only held against its own history: it compiles a collector, and shared_ptr has none.
PAIRS = [
    ("include only", "#include <pygc/pygc.hpp>\n", "#include <memory>\n#include <vector>\n", 1.25),
    ("a cyclic graph", PYGC_USE, SHARED_USE, 8.0),
]
LEVELS = ["-O0", "-O2"]


def seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(compiler: str, level: str, texts: list[str], runs: int, folder: str) -> list[float]:
    include = os.path.join(ROOT, "single_include")
    times: list[list[float]] = [[] for _ in texts]
    sources = []
    for number, text in enumerate(texts):
        sources.append(os.path.join(folder, f"{number}.cpp"))
        with open(sources[-1], "w", encoding="utf-8") as file:
            file.write(text)
    for run in range(runs + 1):
        for number, source in enumerate(sources):
            time = seconds([compiler, "-std=c++20", level, "-I", include, "-c", source,
                            "-o", os.path.join(folder, "object.o")])
            if run:
                times[number].append(time)
    return [statistics.median(values) for values in times]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if shutil.which(options.compiler) is None:
        print(f"skipped: {options.compiler} is not installed")
        return 0
    failed = False
    row = "| {} | {} | {} | {} | {} |" if options.table else "{:>15} {:>4}: {:>8} against {:>8}, ratio {}"
    if options.table:
        print("| a file with | | pygc | `<memory>`, `<vector>` | ratio |\n|---|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, ours, theirs, most in PAIRS:
            for level in LEVELS:
                try:
                    pygc, std = measure(options.compiler, level, [ours, theirs], options.runs, folder)
                except subprocess.CalledProcessError:
                    print(f"error: {options.compiler} can't compile '{name}'", file=sys.stderr)
                    return 1
                ratio = pygc / std
                print(row.format(name, level, f"{pygc * 1000:.0f} ms", f"{std * 1000:.0f} ms", f"{ratio:.2f}"))
                if ratio > most:
                    print(f"error: '{name}' with {level} takes more than {most} times as long as with "
                          "the standard headers", file=sys.stderr)
                    failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
