#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Lets pygc's runner lie about each thing that is compared, and checks that the comparison notices.

usage: parity_test.py RUNNER [unittest arguments]
"""

import os
import subprocess
import sys
import tempfile
import unittest

from generator import generate

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNER = sys.argv.pop(1)
SKIPPED = 77

# Says something about everything: a node that refers to itself, one that dies by count, a weak reference with
# a callback and a finalizer.
SCENARIO = """
scenario of everything
make r0 n0 log
make r1 n1
weak w0 r0 cb k0
link r0.a r0
link r0.b r1
check
drop r1
drop r0
collect
"""


def compare(*arguments: str) -> tuple:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scenarios.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCENARIO)
        run = subprocess.run([sys.executable, os.path.join(HERE, "parity.py"), RUNNER, path, *arguments],
                             capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


class Lies(unittest.TestCase):
    def test_the_truth_agrees(self) -> None:
        status, said = compare()
        self.assertEqual(status, 0, said)

    def found(self, about: str, words: str) -> None:
        status, said = compare("--lie", about)
        self.assertEqual(status, 1, said)
        self.assertIn("FAILED scenarios.txt: of everything", said)
        self.assertRegex(said, words)

    def test_a_wrong_return_value(self) -> None:
        self.found("collect", r"pygc +\d+ collect -> 3 \(start 2, stop 2: 2 0\)")

    def test_a_missing_event(self) -> None:
        self.found("event", r"python +\d+ collect .* \| n0:del,k0 .*\n +pygc +\d+ collect .* \| n0:k0 ")

    def test_a_wrong_generation(self) -> None:
        self.found("generation", r"pygc .* n0:F")

    def test_a_missing_object(self) -> None:
        self.found("alive", r"python .* n0:0 .*\n +pygc")

    def test_a_dead_weak_reference(self) -> None:
        self.found("weak", r"pygc .* w0=-")

    def test_a_missing_referrer(self) -> None:
        self.found("referrers", r"python .*\[to\[0,1\]by\[0\].*\n +pygc .*\[to\[0\]")

    def test_a_wrong_count(self) -> None:
        self.found("count", r"python .* 0,0 .*\n +pygc .* 1,0 ")

    def test_wrong_statistics(self) -> None:
        self.found("stats", r"python .* 1:2:0\n +pygc .* 0:1:0")

    def test_a_failure_is_made_as_short_as_can_be(self) -> None:
        status, said = compare("--lie", "alive", "--minimise")
        self.assertEqual(status, 1, said)
        self.assertEqual([line.split()[0] for line in said.splitlines() if line.startswith("    ")], ["make"], said)

    def test_a_runner_that_ends_early(self) -> None:
        run = subprocess.run([sys.executable, os.path.join(HERE, "parity.py"), "/bin/false", "--scenarios", "3"],
                             capture_output=True, text=True)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn("3 disagree", run.stdout)


class Rules(unittest.TestCase):
    def test_they_change_nothing_where_python_needs_none(self) -> None:
        text = "".join(f"scenario {i}\n" + "".join(line + "\n" for line in generate(5, i)) for i in range(500))
        said = [subprocess.run([sys.executable, "-I", "-S", os.path.join(HERE, "runner.py"), *option], input=text,
                               capture_output=True, text=True, check=True).stdout for option in ([], ["--rules"])]
        self.assertEqual(said[0], said[1])
        self.assertIn("end 0", said[0])


if __name__ == "__main__":
    if subprocess.run([sys.executable, os.path.join(HERE, "parity.py"), RUNNER, "--scenarios", "1"],
                      capture_output=True).returncode == SKIPPED:
        print("skipped: parity.py can't compare with this Python")
        sys.exit(SKIPPED)
    unittest.main()
