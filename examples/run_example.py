#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs an example and compares what it prints with the committed output, line by line.

usage: run_example.py PROGRAM NN_name.output

A line of the output file that starts with `~` is a regular expression for the whole line; all
others are literal. Arguments, if any, are in NN_name.args, where @SOURCE@ is that file's folder.
"""

import difflib
import os
import re
import shlex
import subprocess
import sys


def arguments(path: str) -> list[str]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        words = shlex.split(file.read())
    folder = os.path.dirname(os.path.abspath(path))
    return [word.replace("@SOURCE@", folder) for word in words]


def difference(expected: list[str], printed: list[str]) -> list[str]:
    """A unified diff, in which lines accepted by their regular expression count as equal."""
    accepted = [
        want if want.startswith("~") and re.fullmatch(want[1:].strip(), line) else line
        for want, line in zip(expected, printed)
    ] + printed[len(expected):]
    return list(difflib.unified_diff(expected, accepted, "expected", "printed", lineterm=""))


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    program, output = sys.argv[1:]
    try:
        with open(output, encoding="utf-8") as file:
            expected = file.read().splitlines()
    except OSError as error:
        print(f"{output}: {error.strerror}: each example needs its output", file=sys.stderr)
        return 1
    command = [program, *arguments(os.path.splitext(output)[0] + ".args")]
    run = subprocess.run(command, capture_output=True, text=True, errors="replace")
    sys.stderr.write(run.stderr)
    lines = difference(expected, run.stdout.splitlines())
    for line in lines:
        print(line)
    if run.returncode:
        print(f"{program}: ended with {run.returncode}", file=sys.stderr)
    return 1 if lines or run.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
