#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Fails on words that mark unfinished work, on paths of one machine, on sources without a licence.

usage: lint_words.py [--root FOLDER]
"""

import argparse
import os
import re
import subprocess
import sys

# Each word in two halves, so that this file passes its own check.
UNFINISHED = "|".join(["TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK"])
FORBIDDEN = [
    (re.compile(rf"\b({UNFINISHED})\b"), "marks unfinished work: finish it or leave it out"),
    (re.compile(r"(?<![\w.\-])/(work|" r"farm|" r"home|" r"Users)/"), "is a path of one machine"),
    (re.compile("bash_" "jobs"), "is a path of one machine"),
]
# In the headers a comment can be read without the one before it.
LEANS_ON_ANOTHER = re.compile(r"^\s*//[/!]? (The same|Ends that|It will|So many|Its name)\b")
SOURCES = (".hpp", ".h", ".ipp", ".cpp", ".py", ".sh", ".cmake", ".in")
SPDX = "SPDX-License-Identifier: BSL-1.0"


def committed_or_new(root: str) -> list[str]:
    """The files git tracks or would add; without git, all files outside build folders."""
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        names = {name for name in run.stdout.split("\0") if name}
    except (OSError, subprocess.CalledProcessError):
        names = set()
        for path, folders, files in os.walk(root):
            folders[:] = [f for f in folders if f not in (".git", ".cache", "__pycache__")
                          and not f.startswith("build")]
            names |= {os.path.relpath(os.path.join(path, f), root) for f in files}
    return sorted(n for n in names if os.path.isfile(os.path.join(root, n)))


def is_source(name: str, first: str) -> bool:
    return (name.endswith(SOURCES) or os.path.basename(name) == "CMakeLists.txt"
            or first.startswith("#!"))


def check(root: str, name: str) -> list[str]:
    with open(os.path.join(root, name), "rb") as file:
        data = file.read()
    if b"\0" in data:
        return []  # not a text
    lines = data.decode("utf-8", errors="replace").splitlines()
    problems = []
    first = lines[0] if lines else ""
    if is_source(name, first):
        index = 1 if first.startswith("#!") else 0
        if len(lines) <= index or not lines[index].endswith(SPDX):
            problems.append(f"{name}:{index + 1}: the first line is not '{SPDX}'")
    for number, line in enumerate(lines, 1):
        if name.startswith("include/") and LEANS_ON_ANOTHER.search(line):
            problems.append(f"{name}:{number}: this comment leans on another one: name the subject")
        for pattern, reason in FORBIDDEN:
            found = pattern.search(line)
            if found:
                problems.append(f"{name}:{number}: '{found[0]}' {reason}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=".")
    root = parser.parse_args().root
    names = committed_or_new(root)
    if not names:
        print(f"{root}: no files to check", file=sys.stderr)
        return 1
    problems = [problem for name in names for problem in check(root, name)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(names)} files are clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
