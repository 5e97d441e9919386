#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Counts the instructions of each operation with callgrind and compares them with the committed figures.

usage: instructions.py [PATTERN] [--check | --renew [--reason TEXT]]

A figure is the difference between doing it 2N and N times, divided by N: start and end drop out.
"""

import argparse
import concurrent.futures
import json
import os
import platform
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "build", "bench", "benchmarks", "pygc_instructions")
BASELINE = os.path.join(ROOT, "benchmarks", "instructions.json")
RELATIVE, ABSOLUTE = 0.02, 0.5  # a difference within both together is none
AT_ONCE = 2


def executed(operation, count):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM, operation, str(count)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not found:
        sys.exit(f"error: callgrind of {operation} failed: " + run.stderr.strip()[-300:])
    return int(found[1])


def measure(pattern):
    """Instructions of each operation that the regular expression is found in."""
    listed = subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    counts = {name: int(count) for name, count in map(str.split, listed) if re.search(pattern, name)}
    if not counts:
        sys.exit(f"error: no operation matches {pattern}")
    with concurrent.futures.ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        runs = {name: [pool.submit(executed, name, times * count) for times in (1, 2)] for name, count in counts.items()}
        return {name: round((twice.result() - once.result()) / counts[name], 1) for name, (once, twice) in runs.items()}


def made_with():
    """What figures of two machines must have in common to be compared."""
    command = [os.environ.get("CXX", "g++"), "-dM", "-E", "-x", "c++", os.devnull]
    defined = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    value = dict(line.split(" ", 2)[1:] for line in defined.splitlines() if line.count(" ") > 1)
    name, parts = "g++", ("__GNUC__", "__GNUC_MINOR__")
    if "__clang__" in value:
        name, parts = "clang++", ("__clang_major__", "__clang_minor__")
    version = ".".join(value[part] for part in parts)
    return f"{name} {version} {platform.machine()}, {' '.join(platform.libc_ver())}"


def differs(now, before):
    return abs(now - before) > RELATIVE * before + ABSOLUTE


def check(figures, baseline, whole):
    lines = []
    for name, now in figures.items():
        if name not in baseline:
            lines.append(f"{name}: {now} instructions, and no figure to compare with")
        elif differs(now, before := baseline[name]["instructions"]):
            lines.append(f"{name}: {'rose' if now > before else 'fell'} from {before} to {now} instructions "
                         f"({now / before - 1:+.1%})")
    if whole:
        lines += [f"{name}: has a figure, but is no longer measured" for name in baseline if name not in figures]
    return lines


def renew(figures, baseline, whole, reason):
    """The new baseline. What differs by little keeps its figure, so that small rises can't add up unseen."""
    renewed = {} if whole else dict(baseline)
    for name, now in figures.items():
        entry = dict(baseline.get(name, {"instructions": now}))
        before = entry["instructions"]
        if differs(now, before):
            if now > before:
                if not reason:
                    sys.exit(f"error: {name} rose from {before} to {now} instructions: say why with --reason")
                entry["rises"] = [*entry.get("rises", []), f"{before} to {now}: {reason}"]
            entry["instructions"] = now
        renewed[name] = entry
    return renewed


def write(baseline):
    """One operation a line, for readable differences."""
    lines = [f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in baseline["operations"].items()]
    with open(BASELINE, "w", encoding="utf-8") as file:
        file.write(f'{{"made_with": {json.dumps(baseline["made_with"])}, "operations": {{\n' + ",\n".join(lines) + "\n}}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pattern", nargs="?", default="", help="only operations that this regular expression is found in")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare with benchmarks/instructions.json")
    what.add_argument("--renew", action="store_true", help="write the figures there")
    parser.add_argument("--reason", help="why figures rise; committed with them")
    options = parser.parse_args()
    try:
        with open(BASELINE, encoding="utf-8") as file:
            committed = json.load(file)
    except OSError:
        committed = {"made_with": made_with(), "operations": {}}
    same = committed["made_with"] == made_with()
    if options.check and not same:
        print(f"skipped: the committed figures are of {committed['made_with']}, this is {made_with()}")
        return 0

    figures = measure(options.pattern)
    whole = not options.pattern
    if options.check:
        problems = check(figures, committed["operations"], whole)
        for problem in problems:
            print(problem)
        if problems:
            print("if that is as it should be: bash benchmarks/instructions.sh --renew [--reason 'why a figure rises']")
            return 1
        print(f"{len(figures)} operations take the instructions that they took")
        return 0
    if options.renew:
        if not same and not whole:
            sys.exit(f"error: the other figures are of {committed['made_with']}: renew all")
        before = committed["operations"] if same else {}
        committed = {"made_with": made_with(), "operations": renew(figures, before, whole, options.reason)}
        write(committed)
    print("| operation | instructions each |\n|---|---:|")
    for name, figure in figures.items():
        print(f"| {name} | {figure} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
