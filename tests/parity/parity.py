#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs the same scenarios with CPython's gc and with pygc and compares what both say, line by line.

usage: parity.py RUNNER [FILE...] [--scenarios N] [--seed N] [--minimise] [--lie WHAT] [--show NAME]

FILEs hold scenarios; N random ones are made besides. README.md describes the language and the rules.
Exit status: 0 all agree, 1 some don't, 77 this Python can't be compared with.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

from generator import generate

HERE = os.path.dirname(os.path.abspath(__file__))
OLDEST, NEWEST = (3, 9), (3, 13)
SKIPPED = 77
BATCH = 1000
SHOWN = 5
ENOUGH = 25       # failures: then it stops
TIMEOUT = 120     # seconds for a batch


class Scenario:
    def __init__(self, name: str, lines: list) -> None:
        self.name = name
        self.lines = lines
        self.python: list = []  # what the runners said
        self.ours: list = []

    def agree(self) -> bool:
        return self.python == self.ours and bool(self.ours) and self.ours[-1] == "end 0"

    def difference(self) -> str:
        both = max(len(self.python), len(self.ours))
        python = self.python + ["(nothing)"] * (both - len(self.python))
        ours = self.ours + ["(nothing)"] * (both - len(self.ours))
        for p, o in zip(python, ours):
            if p != o:
                return f"  python {p}\n  pygc   {o}"
        return f"  both say {self.ours[-1] if self.ours else 'nothing'}"


def read_scenarios(path: str) -> list:
    found: list = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words[:1] == ["scenario"]:
                found.append(Scenario(f"{os.path.basename(path)}: {' '.join(words[1:])}", []))
            elif words:
                found[-1].lines.append(" ".join(words))
    return found


class Oracle:
    def __init__(self, runner: str, lie: str) -> None:
        self.ours = [runner, *(["--lie", lie] if lie else [])]
        self.python = [sys.executable, "-I", "-S", os.path.join(HERE, "runner.py")]

    def run(self, scenarios: list) -> None:
        """Lets both run; the scenarios have what they said afterwards."""
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "scenarios")
            with open(source, "w", encoding="utf-8") as file:
                for i, s in enumerate(scenarios):
                    file.write(f"scenario {i}\n" + "".join(line + "\n" for line in s.lines))
            processes = []
            for name, command in (("python", self.python), ("ours", self.ours)):
                with open(source, "rb") as stdin, open(os.path.join(folder, name), "wb") as stdout, \
                        open(os.path.join(folder, name + ".errors"), "wb") as stderr:
                    processes.append(subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr))
            for name, process in zip(("python", "ours"), processes):
                try:
                    status = process.wait(TIMEOUT)
                except subprocess.TimeoutExpired:
                    process.kill()
                    status = process.wait()
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    said = self.by_scenario(file.read())
                with open(os.path.join(folder, name + ".errors"), encoding="utf-8", errors="replace") as file:
                    errors = file.read().strip()
                for i, s in enumerate(scenarios):
                    setattr(s, name, said.get(i, []))
                if status == 0 and not errors:
                    continue
                # It ended, or complained, in the scenario after the last one that it finished.
                i = next((i for i, s in enumerate(scenarios) if getattr(s, name)[-1:] != ["end 0"]), 0)
                getattr(scenarios[i], name).append(f"(exit status {status}: {errors[-2000:]})")
                del scenarios[i + 1:]

    @staticmethod
    def by_scenario(text: str) -> dict:
        said: dict = {}
        for block in text.split("scenario ")[1:]:
            number, *lines = block.splitlines()
            said[int(number)] = lines
        return said

    def fails(self, lines: list) -> bool:
        return bool(lines) and self.first_failure([lines]) == 0

    def first_failure(self, candidates: list) -> int:
        """The number of the first candidate that the two disagree on; -1: none."""
        scenarios = [Scenario("", lines) for lines in candidates]
        self.run(scenarios)
        return next((i for i, s in enumerate(scenarios) if not s.agree()), -1)

    def minimise(self, lines: list) -> list:
        """The same failure, or another one, with as few lines as can be."""
        size = max(1, len(lines) // 2)
        while True:
            candidates = [lines[:i] + lines[i + size:] for i in range(0, len(lines), size)]
            smaller = self.first_failure([c for c in candidates if c])
            if smaller >= 0:
                lines = [c for c in candidates if c][smaller]
            elif size == 1:
                return lines
            else:
                size = max(1, size // 2)
            size = min(size, max(1, len(lines)))


def in_batches(arguments: argparse.Namespace) -> object:
    batch: list = []
    for path in arguments.files:
        batch += read_scenarios(path)
    for number in range(arguments.scenarios):
        batch.append(Scenario(f"random {arguments.seed}.{number}", generate(arguments.seed, number)))
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runner", help="the compiled runner.cpp")
    parser.add_argument("files", nargs="*", help="files of scenarios")
    parser.add_argument("--scenarios", type=int, default=0, help="how many random ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minimise", action="store_true", help="make each failing scenario as short as can be")
    parser.add_argument("--lie", default="", help="let pygc's runner say one wrong thing about this")
    parser.add_argument("--show", default="", help="print what both say about the scenarios with this in the name")
    arguments = parser.parse_args()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        print(f"skipped: this is Python {sys.version.split()[0]}; compared with are 3.{OLDEST[1]} to 3.{NEWEST[1]}")
        return SKIPPED

    start = time.monotonic()
    oracle = Oracle(arguments.runner, arguments.lie)
    total = operations = 0
    failed: list = []
    for batch in in_batches(arguments):
        rest = batch
        while rest and len(failed) < ENOUGH:
            scenarios = rest[:]
            oracle.run(scenarios)  # fewer afterwards, if a runner ended early
            rest = rest[len(scenarios):]
            total += len(scenarios)
            operations += sum(len(s.python) for s in scenarios)
            failed += [s for s in scenarios if not s.agree()]
            for s in scenarios:
                if arguments.show and arguments.show in s.name:
                    print(f"--- {s.name}\npython\n  " + "\n  ".join(s.python) + "\npygc\n  " + "\n  ".join(s.ours))
    if len(failed) >= ENOUGH:
        print(f"stopped after {len(failed)} failures")
    for s in failed[:SHOWN]:
        lines = s.lines
        if arguments.minimise and oracle.fails(lines):
            lines = oracle.minimise(lines)
            s = Scenario(s.name, lines)
            oracle.run([s])
        print(f"FAILED {s.name}")
        print("".join(f"    {line}\n" for line in lines) + s.difference())
    print(f"{total} scenarios, {operations} operations: {len(failed)} disagree "
          f"(Python {sys.version.split()[0]}; {time.monotonic() - start:.1f} s)")
    return 1 if failed or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
