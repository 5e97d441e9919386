#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds the headers against the table of layers in include/pygc/README.md.

usage: lint_layers.py [--root FOLDER]

The table's rows are `| level | header | what it holds | std headers |`. A header may include only
headers of strictly lower levels and the standard headers of its row; the table lists every header.
"""

import argparse
import os
import re
import sys

MAX_LINES = 600
ROW = re.compile(r"^\|\s*(\d+)\s*\|([^|]*)\|(?:[^|]|\\\|)*\|([^|]*)\|\s*$")
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]")
SPDX = "// SPDX-License-Identifier: BSL-1.0"


class Row:
    def __init__(self, line: int, level: int, std: set[str]) -> None:
        self.line = line
        self.level = level
        self.std = std


def read_table(path: str, problems: list[str]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = ROW.match(line.rstrip("\n"))
            if not match:
                continue
            header = match[2].strip().strip("`")
            if header in rows:
                problems.append(f"{path}:{number}: {header} is in the table twice")
            words = match[3].replace("`", " ").replace(",", " ").split()
            std = {word.strip("<>") for word in words if word not in ("-", "–")}
            rows[header] = Row(number, int(match[1]), std)
    if not rows:
        problems.append(f"{path}:1: no row `| level | header | what it holds | std headers |`")
    return rows


def check_header(path: str, name: str, rows: dict[str, Row], table: str) -> list[str]:
    problems: list[str] = []
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    if not lines or lines[0] != SPDX:
        problems.append(f"{path}:1: the first line is not '{SPDX}'")
    if "#pragma once" not in lines:
        problems.append(f"{path}:1: no '#pragma once'")
    if len(lines) > MAX_LINES:
        problems.append(f"{path}:{len(lines)}: {len(lines)} lines; at most {MAX_LINES} allowed")
    row = rows.get(name)
    if row is None:
        return [*problems, f"{path}:1: {name} is not in the table of {table}"]
    used: set[str] = set()
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        where, target = f"{path}:{number}", include[2]
        if include[1] == '"':
            problems.append(f"{where}: write the include as <pygc/...>")
        elif target.startswith("pygc/"):
            other = rows.get(target.removeprefix("pygc/"))
            if other is None:
                problems.append(f"{where}: <{target}> is not in the table of {table}")
            elif other.level >= row.level:
                problems.append(f"{where}: level {row.level} includes <{target}> of level "
                                f"{other.level}, which is not lower")
        elif target not in row.std:
            problems.append(f"{where}: <{target}> is not among the std headers of {name} in {table}")
        else:
            used.add(target)
    for target in sorted(row.std - used):
        problems.append(f"{table}:{row.line}: {name} does not include <{target}>")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=".")
    folder = os.path.join(parser.parse_args().root, "include", "pygc")
    table = os.path.join(folder, "README.md")
    if not os.path.exists(table):
        print(f"{table}:1: the table of layers is missing", file=sys.stderr)
        return 1
    problems: list[str] = []
    rows = read_table(table, problems)
    headers: dict[str, str] = {}
    for path, _, files in os.walk(folder):
        for file in files:
            if file.endswith((".hpp", ".h", ".ipp")):
                full = os.path.join(path, file)
                headers[os.path.relpath(full, folder).replace(os.sep, "/")] = full
    for name, full in sorted(headers.items()):
        problems += check_header(full, name, rows, table)
    for name, row in rows.items():
        if name not in headers:
            problems.append(f"{table}:{row.line}: there is no file {name}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(headers)} headers keep to their layers")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
