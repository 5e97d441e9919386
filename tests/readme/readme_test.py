#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Compiles and runs every C++ block of README.md as a user would: an empty folder with only the single
header. A block of text right after one is its expected output. Usage: readme_test.py COMPILER [FLAG...]"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WARNINGS = ("-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast "
            "-Werror").split()


def main():
    compiler, flags = sys.argv[1], sys.argv[2:]
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```cpp\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", readme, re.S | re.M)
    if not blocks:
        sys.exit("README.md has no C++ block")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "pygc").mkdir()
        shutil.copy(ROOT / "single_include/pygc/pygc.hpp", folder / "pygc")
        for number, (code, expected) in enumerate(blocks, 1):
            (folder / "main.cpp").write_text(code)
            command = [compiler, "-std=c++20", *WARNINGS, *flags, "main.cpp"]
            subprocess.run(command, cwd=folder, check=True)
            run = subprocess.run(["./a.out"], cwd=folder, capture_output=True, text=True)
            if run.returncode != 0 or run.stderr:
                sys.exit(f"block {number}: exit code {run.returncode}\n{run.stderr}")
            if expected and run.stdout != expected:
                sys.exit(f"block {number} prints\n{run.stdout}README.md says\n{expected}")
    print(f"{len(blocks)} programs of README.md compile and run")


if __name__ == "__main__":
    main()
