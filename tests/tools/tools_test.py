#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Plants the faults that the repository's scripts exist to find, and checks that they find them.

usage: tools_test.py COMPILER [unittest arguments]
"""

import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPILER = sys.argv.pop(1) if len(sys.argv) > 1 else "c++"
SPDX = "// SPDX-License-Identifier: BSL-1.0\n"
HEAD = SPDX + "#pragma once\n"


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name: str, text: str) -> str:
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def read(self, name: str) -> str:
        with open(os.path.join(self.folder.name, name), encoding="utf-8") as file:
            return file.read()

    def run_script(self, script: str, *arguments: str) -> tuple[int, str]:
        run = subprocess.run([sys.executable, os.path.join(ROOT, script), *arguments],
                             capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    def passes(self, script: str, *arguments: str) -> None:
        code, output = self.run_script(script, *arguments)
        self.assertEqual(code, 0, output)

    def fails(self, words: str, script: str, *arguments: str) -> None:
        code, output = self.run_script(script, *arguments)
        self.assertEqual(code, 1, output)
        self.assertIn(words, output)


class Layers(Case):
    SCRIPT = "tools/lint/lint_layers.py"

    def setUp(self) -> None:
        super().setUp()
        self.write("include/pygc/README.md",
                   "| level | header | holds | std headers |\n|---|---|---|---|\n"
                   "| 0 | `low.hpp` | something \\| more | `<cstddef>` `cstdint` |\n"
                   "| 1 | `detail/high.hpp` | the rest | - |\n")
        self.low = HEAD + "#include <cstddef> // size_t\n#include <cstdint>\n"
        self.high = HEAD + "#include <pygc/low.hpp>\n"
        self.plant()

    def plant(self, low: str = "", high: str = "") -> None:
        self.write("include/pygc/low.hpp", low or self.low)
        self.write("include/pygc/detail/high.hpp", high or self.high)

    def finds(self, words: str) -> None:
        self.fails(words, self.SCRIPT, "--root", self.folder.name)

    def test_clean(self) -> None:
        self.passes(self.SCRIPT, "--root", self.folder.name)

    def test_header_not_in_the_table(self) -> None:
        self.write("include/pygc/extra.hpp", HEAD)
        self.finds("extra.hpp:1: extra.hpp is not in the table")

    def test_row_without_a_file(self) -> None:
        os.remove(os.path.join(self.folder.name, "include/pygc/detail/high.hpp"))
        self.finds("README.md:4: there is no file detail/high.hpp")

    def test_level_not_lower(self) -> None:
        self.plant(low=self.low + "#include <pygc/detail/high.hpp>\n")
        self.finds("low.hpp:5: level 0 includes <pygc/detail/high.hpp> of level 1")

    def test_same_level(self) -> None:
        self.plant(low=self.low + "#  include <pygc/low.hpp>\n")
        self.finds("low.hpp:5: level 0 includes <pygc/low.hpp> of level 0")

    def test_std_header_not_listed(self) -> None:
        self.plant(high=self.high + "#if 1\n#include <vector>\n#endif\n")
        self.finds("high.hpp:5: <vector> is not among the std headers")

    def test_listed_std_header_not_included(self) -> None:
        self.plant(low=HEAD + "#include <cstddef>\n")
        self.finds("README.md:3: low.hpp does not include <cstdint>")

    def test_quoted_include(self) -> None:
        self.plant(high=self.high + '#include "low.hpp"\n')
        self.finds("high.hpp:4: write the include as <pygc/...>")

    def test_too_long(self) -> None:
        self.plant(high=self.high + "\n" * 598)
        self.finds("high.hpp:601: 601 lines")

    def test_no_licence_line(self) -> None:
        self.plant(high="#pragma once\n#include <pygc/low.hpp>\n")
        self.finds("high.hpp:1: the first line is not")

    def test_no_pragma_once(self) -> None:
        self.plant(high=SPDX + "#include <pygc/low.hpp>\n")
        self.finds("high.hpp:1: no '#pragma once'")

    def test_no_table(self) -> None:
        self.write("include/pygc/README.md", "# Nothing\n")
        self.finds("README.md:1: no row")


class Macros(Case):
    SCRIPT = "tools/lint/lint_macros.py"

    def finds(self, words: str, code: str) -> None:
        self.write("include/pygc/a.hpp", HEAD + code)
        self.fails(words, self.SCRIPT, "--root", self.folder.name)

    def test_clean(self) -> None:
        self.write("include/pygc/a.hpp", HEAD + "// a small one\n#include <pygc/slots.hpp>\n"
                   "inline const char* near_by = \"min\"; /* max */ constexpr int n = 1'000;\n")
        self.passes(self.SCRIPT, "--root", self.folder.name)

    def test_windows(self) -> None:
        self.finds("a.hpp:4: 'small' is a macro of <windows.h>", "\nconstexpr int small = 1'000;\n")

    def test_member_of_another_name_space(self) -> None:
        self.finds("a.hpp:3: 'max' is a macro of <windows.h>", "inline int f(int n) { return std::max(n, 1); }\n")

    def test_qt(self) -> None:
        self.finds("a.hpp:3: 'slots' is a macro of Qt", "struct s { int slots; };\n")

    def test_x11(self) -> None:
        self.finds("a.hpp:3: 'None' is a macro of <X11/Xlib.h>", "enum class e { None };\n")

    def test_nothing_to_look_at(self) -> None:
        self.fails("", self.SCRIPT, "--root", self.folder.name)


class Rows(Case):
    SCRIPT = "tools/lint/lint_rows.py"
    CLAIM = "Of 169\nnumbered behaviours of CPython 167 are in the names of tests, 2 have a reason\n"

    PAGE = "".join(f"| {row} | Something is so. |\n" for row in range(1, 170))

    def plant(self, names: str, reasons: str, claim: str, page: str = PAGE) -> None:
        self.write("docs/behaviours.md", page)
        self.write("tests/unit/a.test.cpp", f'TEST_CASE("{names}: something")\n')
        self.write("tests/README.md", f"| rows | reason |\n|---|---|\n| {reasons} | why |\n")
        self.write("README.md", claim)

    def finds(self, words: str) -> None:
        self.fails(words, self.SCRIPT, "--root", self.folder.name)

    def test_clean(self) -> None:
        self.plant("rows 1 to 5, 7 and 9 to 169", "6, 8", self.CLAIM)
        self.passes(self.SCRIPT, "--root", self.folder.name)

    def test_row_without_a_test(self) -> None:
        self.plant("rows 1 to 5, 7 and 9 to 169", "6", self.CLAIM)
        self.finds("row 8 has neither a test nor a reason")

    def test_row_that_does_not_exist(self) -> None:
        self.plant("rows 1 to 5, 7 and 9 to 170", "6, 8", self.CLAIM)
        self.finds("row 170 does not exist")

    def test_wrong_claim(self) -> None:
        self.plant("rows 1 to 169", "6, 8", self.CLAIM)
        self.finds("169 are in the names of tests, 0 have a reason")

    def test_row_missing_on_the_page(self) -> None:
        page = self.PAGE.replace("| 7 | Something is so. |\n", "")
        self.plant("rows 1 to 5, 7 and 9 to 168", "6, 8", self.CLAIM, page)
        self.finds("behaviours.md:7: row 8 comes after row 6")

    def test_row_that_is_no_sentence(self) -> None:
        page = self.PAGE.replace("| 7 | Something is so. |", "| 7 |  |")
        self.plant("rows 1 to 5, 7 and 9 to 169", "6, 8", self.CLAIM, page)
        self.finds("behaviours.md:7: not `| number | one sentence. |`")


class Words(Case):
    SCRIPT = "tools/lint/lint_words.py"

    def finds(self, words: str) -> None:
        self.fails(words, self.SCRIPT, "--root", self.folder.name)

    def test_clean(self) -> None:
        self.write("a.cpp", SPDX + "// a network/path and http://example.org/homework are no paths\n")
        self.write("b.sh", "#!/bin/sh\n# SPDX-License-Identifier: BSL-1.0\nmktemp " + "XX" * 3 + "\n")
        self.passes(self.SCRIPT, "--root", self.folder.name)

    def test_comment_that_leans_on_another(self) -> None:
        self.write("include/a.hpp", SPDX + "/// The " "same for two.\n")
        self.finds("leans on another one")

    def test_unfinished_work(self) -> None:
        for word in ("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK"):
            self.write("a.md", f"fine\n{word}: later\n")
            self.finds(f"a.md:2: '{word}' marks unfinished work")

    def test_path_of_one_machine(self) -> None:
        for path in ("/wo" "rk/main", "/fa" "rm/x", "/ho" "me/me"):
            self.write("a.md", f"see {path}\n")
            self.finds("a.md:1: ")

    def test_no_licence_line(self) -> None:
        for name in ("a.cpp", "a.py", "CMakeLists.txt"):
            path = self.write(name, "\n")
            self.finds(f"{name}:1: the first line is not")
            os.remove(path)
        self.write("run", "#!/bin/sh\n")
        self.finds("run:2: the first line is not")


class Amalgamate(Case):
    SCRIPT = "tools/amalgamate.py"
    SINGLE = "single_include/pygc/pygc.hpp"

    def setUp(self) -> None:
        super().setUp()
        self.write("include/pygc/version.hpp",
                   HEAD + "#define PYGC_VERSION_MAJOR 1\n#define PYGC_VERSION_MINOR 2\n"
                          "#define PYGC_VERSION_PATCH 3\n")
        self.write("include/pygc/a.hpp",
                   HEAD + "#include <utility> // move\n#include <pygc/version.hpp>\n"
                          "#if defined(__linux__)\n#include <sys/mman.h>\n#endif\nint a; // kept\n")
        self.write("include/pygc/pygc.hpp",
                   HEAD + "#include <cstddef>\n#include <pygc/a.hpp>\n#include <pygc/version.hpp>\n")
        self.passes(self.SCRIPT, "--root", self.folder.name)

    def test_content(self) -> None:
        text = self.read(self.SINGLE)
        lines = text.splitlines()
        self.assertEqual(lines[0] + "\n", SPDX)
        self.assertIn("pygc 1.2.3", lines[1])
        self.assertEqual(lines[lines.index("#include <cstddef>") + 1], "#include <utility>")
        self.assertEqual(lines[lines.index("#include <sys/mman.h>") - 1], "#if defined(__linux__)")
        self.assertIn("int a; // kept", lines)
        self.assertEqual(text.count("SPDX"), 1)
        self.assertEqual(text.count("#define PYGC_VERSION_MAJOR 1"), 1)
        self.assertLess(text.index("PYGC_VERSION_MAJOR"), text.index("int a;"))
        self.assertNotIn("#pragma once", text)
        self.assertNotIn("#include <pygc/", text)

    def test_check(self) -> None:
        self.passes(self.SCRIPT, "--check", "--root", self.folder.name)
        self.write(self.SINGLE, self.read(self.SINGLE) + " ")
        self.fails("is not up to date: run tools/amalgamate.py",
                   self.SCRIPT, "--check", "--root", self.folder.name)

    def test_missing_single_header(self) -> None:
        os.remove(os.path.join(self.folder.name, self.SINGLE))
        self.fails("is not up to date", self.SCRIPT, "--check", "--root", self.folder.name)

    def test_cycle(self) -> None:
        self.write("include/pygc/a.hpp", HEAD + "#include <pygc/pygc.hpp>\n")
        self.fails("includes itself", self.SCRIPT, "--root", self.folder.name)

    def test_own_include_under_a_condition(self) -> None:
        self.write("include/pygc/a.hpp", HEAD + "#if 1\n#include <pygc/version.hpp>\n#endif\n")
        self.fails("a.hpp:4: an include of pygc's own", self.SCRIPT, "--root", self.folder.name)


class CompileFail(Case):
    SCRIPT = "tests/compile_fail/check.py"
    ASSERTION = 'static_assert(sizeof(int) == 1, "say what to write");\n'

    def compile(self, name: str, text: str) -> tuple[str, ...]:
        return self.SCRIPT, self.write(name, text), "--", COMPILER, "-std=c++20"

    def test_expected_failure(self) -> None:
        self.passes(*self.compile("a.fail.cpp", "// expect: say what to write\n" + self.ASSERTION))

    def test_other_message(self) -> None:
        self.fails("without the words 'another thing'",
                   *self.compile("a.fail.cpp", "// expect: another thing\n" + self.ASSERTION))

    def test_compiles_after_all(self) -> None:
        self.fails("must not compile, but does",
                   *self.compile("a.fail.cpp", "// expect: anything\nint a;\n"))

    def test_no_expectation(self) -> None:
        self.fails("has no line", *self.compile("a.fail.cpp", self.ASSERTION))

    def test_pass(self) -> None:
        self.passes(*self.compile("a.pass.cpp", "int a;\n"))
        self.fails("must compile, but does not", *self.compile("a.pass.cpp", self.ASSERTION))


class Death(Case):
    SCRIPT = "tests/death/check.py"

    def program(self, text: str) -> str:
        path = self.write("program", "#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def test_dies_with_the_words(self) -> None:
        self.passes(self.SCRIPT, "count .*below", self.program("echo count fell below 0 >&2; exit 3"))

    def test_dies_with_other_words(self) -> None:
        self.fails("nothing that matches", self.SCRIPT, "below", self.program("echo other; exit 3"))

    def test_lives(self) -> None:
        self.fails("must not end well", self.SCRIPT, "below", self.program("echo below"))

    def test_ends_well_with_the_words(self) -> None:
        self.passes(self.SCRIPT, "--well", "^all 3$", self.program("echo some; echo all 3"))

    def test_ends_well_with_other_words(self) -> None:
        self.fails("nothing that matches", self.SCRIPT, "--well", "^all 3$", self.program("echo all 30"))

    def test_ends_badly(self) -> None:
        self.fails("must end well", self.SCRIPT, "--well", "all", self.program("echo all; exit 3"))


class Examples(Case):
    SCRIPT = "examples/run_example.py"

    def example(self, printed: str, expected: str) -> tuple[str, ...]:
        program = self.write("program", f"#!/bin/sh\n{printed}\n")
        os.chmod(program, 0o755)
        return self.SCRIPT, program, self.write("01_a.output", expected)

    def test_same(self) -> None:
        self.passes(*self.example("echo one; echo 12 ms", "one\n~\\d+ ms\n"))

    def test_other_line(self) -> None:
        self.fails("-two", *self.example("echo one; echo 12 ms", "two\n~\\d+ ms\n"))

    def test_regex_does_not_match(self) -> None:
        self.fails("+12 s", *self.example("echo 12 s", "~\\d+ ms\n"))

    def test_line_missing_or_too_many(self) -> None:
        self.fails("-two", *self.example("echo one", "one\ntwo\n"))
        self.fails("+two", *self.example("echo one; echo two", "one\n"))

    def test_exit_code(self) -> None:
        self.fails("ended with 3", *self.example("echo one; exit 3", "one\n"))

    def test_arguments(self) -> None:
        self.write("01_a.args", "--from @SOURCE@/data 'two words'\n")
        expected = f"--from\n{self.folder.name}/data\ntwo words\n"
        self.passes(*self.example("printf '%s\\n' \"$@\"", expected))


if __name__ == "__main__":
    unittest.main()
