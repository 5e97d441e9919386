#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Fails where a header uses a name that a widely used header of somebody else defines as a macro.

Whoever includes that header first would otherwise get errors far from their cause. Names that begin with an
underscore, or are macros of the standard library, are not looked for.

usage: lint_macros.py [--root FOLDER]
"""

import argparse
import glob
import os
import re
import sys

TAKEN = {
    "<windows.h>": """min max small hyper near far interface pascal cdecl IN OUT OPTIONAL CONST VOID BOOL TRUE FALSE
        ERROR DELETE THIS THIS_ PURE IGNORE INFINITE ABSOLUTE RELATIVE OPAQUE TRANSPARENT ALTERNATE MAX_PATH NO_ERROR
        STRICT UNALIGNED WINAPI CALLBACK FAR NEAR INTERFACE DIFFERENCE MOUSE_MOVED GetObject GetClassName
        GetMessage SendMessage PostMessage CreateWindow DrawText LoadImage GetCurrentTime GetFreeSpace Yield
        grp1 grp2 lst1 rad1 chx1 edt1 cmb1 stc1 ctl1 scr1""",
    "<sys/param.h>": "MIN MAX DEV_BSIZE isset setbit clrbit howmany roundup powerof2",
    "<sys/sysmacros.h>": "major minor makedev",
    "the compiler in its GNU mode": "unix linux i386 vax sun mips sparc hpux arm",
    "<X11/Xlib.h>": """None Bool Status True False Success Always Above Below Complex Convex Nonconvex Unsorted
        KeyPress KeyRelease FocusIn FocusOut Expose Cursor CursorShape GrayScale Bell""",
    "Qt": "slots signals emit foreach forever Q_SLOTS Q_SIGNALS",
    "<altivec.h>": "pixel",
    "<AssertMacros.h>": "verify require check_noerr verify_noerr require_noerr",
    "Objective-C": "nil Nil YES NO",
    "<signal.h> and <sys/stat.h>": "sa_handler sa_sigaction st_atime st_mtime st_ctime",
    "<netdb.h> and <netinet/in.h>": "h_addr h_errno s_addr s6_addr",
    "<termios.h>": "ECHO CTRL B0 B50 B75",
}
HEADERS_OF = {name: header for header, names in TAKEN.items() for name in names.split()}

# What is no code: comments, literals, and directives (an #include may well name a file `min.hpp`).
NO_CODE = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*'|^[ \t]*\#(?:\\\n|[^\n])*", re.S | re.M)
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*")


def check(root: str, path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    code = NO_CODE.sub(lambda found: "\n" * found.group().count("\n") or " ", text)
    problems = []
    for number, line in enumerate(code.split("\n"), 1):
        for name in IDENTIFIER.findall(line):
            if name in HEADERS_OF:
                problems.append(f"{os.path.relpath(path, root)}:{number}: '{name}' is a macro of {HEADERS_OF[name]}: "
                                "take another name")
    return problems


def main() -> int:
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(here)))
    root = parser.parse_args().root
    headers = sorted(glob.glob(os.path.join(root, "include", "**", "*.hpp"), recursive=True))
    problems = [problem for path in headers for problem in check(root, path)]
    print("\n".join(problems) if problems else f"{len(headers)} headers use no name of {len(HEADERS_OF)} macros")
    return 1 if problems or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
