#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Compiles one file and checks that it is refused with the message which its first lines name.

usage: check.py FILE -- COMPILER FLAGS...

NAME.fail.cpp says `// expect: FRAGMENT` (several lines: all are wanted); NAME.pass.cpp must compile.
"""

import re
import subprocess
import sys


def problem(path: str, compiler: list[str]) -> str | None:
    """What is wrong with the outcome, or None."""
    with open(path, encoding="utf-8") as file:
        wanted = re.findall(r"^// expect: *(.*\S)", file.read(), re.MULTILINE)
    must_fail = path.endswith(".fail.cpp")
    if must_fail and not wanted:
        return "has no line '// expect: FRAGMENT'"
    if not must_fail and wanted:
        return "expects a message, but is not called *.fail.cpp"
    run = subprocess.run([*compiler, "-fsyntax-only", path], capture_output=True, text=True)
    output = run.stdout + run.stderr
    if not must_fail:
        return f"must compile, but does not:\n{output}" if run.returncode else None
    if run.returncode == 0:
        return "must not compile, but does"
    missing = [fragment for fragment in wanted if fragment not in output]
    if missing:
        return f"is refused, but without the words '{missing[0]}':\n{output}"
    return None


def main() -> int:
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        print(__doc__, file=sys.stderr)
        return 2
    found = problem(sys.argv[1], sys.argv[3:])
    if found:
        print(f"{sys.argv[1]}: {found}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
