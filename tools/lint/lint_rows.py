#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds the tests against CPython's numbered behaviours: each is in the name of a test, or has its reason for none.

usage: lint_rows.py [--root FOLDER]

The behaviours are the rows of docs/behaviours.md, numbered without a gap, each with one sentence. Tests are named
`row N: ...` or `rows N, M and O: ...`, in C++ and in the scenarios of tests/parity; reasons stand in a table of
tests/README.md. The README's sentence about both must have the right numbers.
"""

import argparse
import os
import re
import sys

BEHAVIOUR = re.compile(r"^\| (\d+) \| (\S.*\.) \|$")
NAME = re.compile(r"\brows? ([0-9]+(?:(?:, | and | to )[0-9]+)*):")
REASON = re.compile(r"^\| ([0-9]+(?:(?:, | and | to )[0-9]+)*)(?:, in part)? \|")
CLAIM = re.compile(r"Of (\d+)\s+numbered behaviours of CPython (\d+) are in the names of tests, (\d+) have a reason")


def numbers(text: str) -> set[int]:
    found: set[int] = set()
    for part in re.split(r", | and ", text.strip()):
        first, _, last = part.partition(" to ")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def behaviours(path: str, problems: list[str]) -> int:
    """The number of rows. A row out of order, or one that is no sentence, is a problem."""
    last = 0
    for number, line in enumerate(read(path).splitlines(), 1):
        if not re.match(r"^\| \d", line):
            continue
        match = BEHAVIOUR.match(line)
        if match is None:
            problems.append(f"{path}:{number}: not `| number | one sentence. |`")
        elif int(match[1]) != last + 1:
            problems.append(f"{path}:{number}: row {match[1]} comes after row {last}")
        last += 1
    return last


def tested_rows(folder: str) -> set[int]:
    rows: set[int] = set()
    for directory, _, files in os.walk(folder):
        for name in files:
            if name.endswith((".cpp", ".txt")):
                for match in NAME.finditer(read(os.path.join(directory, name))):
                    rows |= numbers(match[1])
    return rows


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."))
    root = parser.parse_args().root
    problems: list[str] = []
    last = behaviours(os.path.join(root, "docs", "behaviours.md"), problems)
    tested = tested_rows(os.path.join(root, "tests"))
    reasons: set[int] = set()
    for line in read(os.path.join(root, "tests", "README.md")).splitlines():
        if match := REASON.match(line):
            reasons |= numbers(match[1])
    reasons -= tested  # explained in part, tested in part
    problems += [f"row {row} has neither a test nor a reason in tests/README.md"
                 for row in range(1, last + 1) if row not in tested | reasons]
    problems += [f"row {row} does not exist" for row in sorted((tested | reasons) - set(range(1, last + 1)))]
    claim = CLAIM.search(read(os.path.join(root, "README.md")))
    right = (last, len(tested), len(reasons))
    if claim is None or tuple(map(int, claim.groups())) != right:
        problems.append("README.md must say: Of %d numbered behaviours of CPython %d are in the names of tests, "
                        "%d have a reason" % right)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(tested)} of {last} rows are tested, {len(reasons)} explained")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
