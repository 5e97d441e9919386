#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs a program that must not end well, and looks for a regular expression in what it printed.

usage: check.py [--well] REGEX PROGRAM        (--well: it must end well)

Not CTest's PASS_REGULAR_EXPRESSION: that would also accept a program which prints and goes on.
"""

import re
import subprocess
import sys


def main() -> int:
    arguments = sys.argv[1:]
    well = arguments[:1] == ["--well"]
    if len(arguments) != 2 + well:
        print(__doc__, file=sys.stderr)
        return 2
    regex, program = arguments[well:]
    run = subprocess.run([program], capture_output=True, text=True, errors="replace")
    output = run.stdout + run.stderr
    if well and run.returncode != 0:
        print(f"{program}: must end well, but ends with {run.returncode}; it printed:\n{output}",
              file=sys.stderr)
        return 1
    if not well and run.returncode == 0:
        print(f"{program}: must not end well, but does; it printed:\n{output}", file=sys.stderr)
        return 1
    if not re.search(regex, output, re.MULTILINE):
        print(f"{program}: ended with {run.returncode}, as it should, but printed nothing that "
              f"matches '{regex}':\n{output}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
