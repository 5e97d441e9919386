#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks what 09_package_graph does with bad input: one line on stderr, exit code 2, no leak.

usage: package_graph_errors.py PROGRAM
"""

import os
import re
import subprocess
import sys
import tempfile

PACKAGE = "Package: a\nStatus: install ok installed\n"

# The content of FILE, and what the message must say after its name.
MALFORMED = {
    "a line without a field": (PACKAGE + "Depends\n", ":3: no field name in 'Depends'"),
    "no field name": (": a\n", ":1: no field name in ': a'"),
    "binary": ("\x7fELF\x01\x02\n", ":1: no field name in '.ELF..'"),
    "continuation first": ("\n\n lonely\n", ":3: a continuation line without a field"),
    "continuation after a stanza": (PACKAGE + "\n x\n", ":4: a continuation line without a field"),
    "no package": (PACKAGE + "\nVersion: 1\n", ":4: a stanza without the field Package"),
    "empty package": ("Version: 1\nPackage:\n", ":2: not one package name"),
    "two packages": ("Package: a, b\n", ":1: not one package name"),
    "twice": (PACKAGE + "Package: b\n", ":3: the field 'Package' is there twice"),
    "no name": (PACKAGE + "Depends: b,, c\n", ":3: '' names no package"),
    "bad name": (PACKAGE + "Depends: b, c/d\n", ":3: 'c/d' names no package"),
    "open": (PACKAGE + "Depends: b (>= 1\n", r":3: a parenthesis is missing in 'b \(>= 1'"),
    "empty": ("", ": no installed package in it"),
    "removed": ("Package: a\nStatus: deinstall ok config-files\n", ": no installed package in it"),
}


def check(program: str, arguments: list[str], code: int, stdout: str, stderr: str) -> list[str]:
    run = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)
    problems = []
    if run.returncode != code:
        problems.append(f"ended with {run.returncode}, not {code}")
    for name, pattern, text in (("stdout", stdout, run.stdout), ("stderr", stderr, run.stderr)):
        if not re.fullmatch(pattern, text):
            problems.append(f"{name} does not match {pattern!r}:\n{text}")
    return [f"{' '.join(arguments)}: {problem}" for problem in problems]


def error(program: str, arguments: list[str], message: str) -> list[str]:
    return check(program, arguments, 2, "", f"package_graph: {message}\n")


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        absent = os.path.join(folder, "absent")
        problems = error(program, [absent], re.escape(absent) + ": No such file or directory")
        problems += error(program, [folder], re.escape(folder) + ": Is a directory")
        path = os.path.join(folder, "status")
        for text, message in MALFORMED.values():
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            problems += error(program, [path], re.escape(path) + message)
        if os.geteuid() != 0:  # the superuser may read everything
            os.chmod(path, 0)
            problems += error(program, [path], re.escape(path) + ": Permission denied")
        problems += error(program, ["--fast"], "unknown option '--fast'; try --help")
        problems += error(program, ["--fast", path], "unknown option '--fast'; try --help")
        problems += error(program, [path, path], "name one file; try --help")
        problems += error(program, [""], "name one file; try --help")
        problems += check(program, ["--help"], 0, r"usage: package_graph \[FILE.*\n(.*\n)+", "")
        # What is allowed: no Status, foreign line ends, a last line without one.
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write("Package: a\r\nDepends: b | c\r\n\r\nPackage: b\r\nDepends: a")
        problems += check(program, [path], 0, r"(?s).* packages +2\n.* groups +1\n +2: a b\n.*", "")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
