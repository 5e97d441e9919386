#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Builds and runs programs with shared libraries, all of which use pygc.

usage: libraries_test.py COMPILER INCLUDE
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TWO_COPIES = "pygc: this process has two copies of the library"
LINKED = ["objects 2", "library found 2", "program found 1", "ended 2"]
ONE_COPY = ["number 2", "program found 1", "library found 0", "ended 2", "alive 1 0", "found 1000", "kept 20, memory 20"]
SEPARATE = ["number 2", "program found 0", "library found 1", "ended 2", "alive 1 0", "found 1000", "kept 20, memory 20"]


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    compiler, include = sys.argv[1:]
    folder = tempfile.mkdtemp()
    faults = 0

    def build(*arguments: str) -> None:
        subprocess.run([compiler, "-std=c++20", "-O1", "-I", include, *arguments], cwd=folder, check=True)

    def expect(title: str, lines: list[str], report: str, *arguments: str, well: bool = True) -> None:
        nonlocal faults
        run = subprocess.run(arguments, cwd=folder, capture_output=True, text=True,
                             env={**os.environ, "LD_LIBRARY_PATH": "."})
        told = run.stderr.count(report) == 1 if report else run.stderr == ""
        if run.stdout.splitlines() == lines and told and (run.returncode == 0) == well:
            print(f"ok: {title}")
            return
        faults += 1
        print(f"{title}: ended with {run.returncode}, printed\n{run.stdout}{run.stderr}expected\n"
              + "\n".join(lines) + f"\n{report}")

    for visibility in "default", "hidden":
        flag = f"-fvisibility={visibility}"
        build(flag, "-fPIC", "-shared", str(HERE / "library.cpp"), "-o", "library.so")
        build(flag, str(HERE / "linked.cpp"), "./library.so", "-o", "linked")
        expect(f"linked, {visibility} visibility", LINKED, "", "./linked")
        for dynamic in [], ["-rdynamic"]:
            build(flag, *dynamic, str(HERE / "loaded.cpp"), "-o", "loaded", "-ldl")
            title = f"loaded, {visibility} visibility {' '.join(dynamic)}"
            expect(title, ONE_COPY if dynamic else SEPARATE, "" if dynamic else TWO_COPIES, "./loaded")
            if dynamic:
                expect(title + ", in a heap of the program", ["worked in it"], "", "./loaded", "heap")
            else:
                expect(title + ", in a heap of the program", [],
                       "pygc: one copy of the library can't make objects in the heap of another", "./loaded", "heap",
                       well=False)
    build("-DPYGC_SEPARATE_COPY=1", "-fPIC", "-shared", str(HERE / "library.cpp"), "-o", "library.so")
    build(str(HERE / "loaded.cpp"), "-o", "loaded", "-ldl")
    expect("a copy of its own on purpose", SEPARATE, "", "./loaded")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
