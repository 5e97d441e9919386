# SPDX-License-Identifier: BSL-1.0
"""What is measured: the contenders, how their programs are built, the workloads and their parameters."""

import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAMS = os.path.join(ROOT, "benchmarks", "programs")
BUILD = os.path.join(ROOT, "build", "bench-programs")


class Contender:
    """Who does the work. `kind`: cpp and refcount are like for like, context is not."""

    def __init__(self, name, title, command, kind="cpp", collects=False, build=(), needs=None, version=None,
                 switches=True, types=None):
        self.name = name
        self.title = title
        self.command = command
        self.kind = kind
        self.collects = collects
        self.build = build  # commands
        self.types = types  # the command that builds the program with many types, but for their number
        self.needs = needs or (lambda: None)
        self.version = version
        self.switches = switches  # can turn automatic collection off


def header(name):
    def missing():
        run = subprocess.run([compiler(), "-x", "c++", "-E", "-"], input=f"#include <{name}>\n", text=True,
                             capture_output=True, check=False)
        return f"the header {name} is not installed" if run.returncode else None
    return missing


def tools(*names):
    def missing():
        absent = [name for name in names if shutil.which(name) is None]
        return f"{', '.join(absent)} not installed" if absent else None
    return missing


def compiler():
    return os.environ.get("CXX", "g++")


def built(name):
    return os.path.join(BUILD, name)


# One object each of so many types; they take two minutes to compile.
MANY_TYPES = {"quick": 1000, "smoke": 16, "full": 1000}


def cpp(policy, *libraries):
    """The command that builds a contender's program."""
    return [compile_command("main.cpp", policy, policy.lower(), *libraries)]


def compile_command(source, policy, program, *libraries):
    return [compiler(), "-std=c++20", "-O2", "-DNDEBUG", "-Wall", "-Wextra", "-I", os.path.join(ROOT, "include"),
            f"-DBENCH_{policy}", os.path.join(PROGRAMS, source), "-o", built(program), *libraries]


MEASURE = [compiler(), "-std=c++20", "-O2", os.path.join(PROGRAMS, "measure.cpp"), "-o", built("measure")]

CONTENDERS = [
    Contender("pygc", "pygc", [built("pygc")], collects=True, build=cpp("PYGC"),
              types=compile_command("types.cpp", "PYGC", "types_pygc")),
    Contender("shared", "shared_ptr + weak_ptr", [built("shared")], build=cpp("SHARED"),
              types=compile_command("types.cpp", "SHARED", "types_shared")),
    Contender("shared_threaded", "the same, once a thread has run", [built("shared"), "threads=1"]),
    Contender("intrusive", "boost::intrusive_ptr + raw", [built("intrusive")], build=cpp("INTRUSIVE"),
              needs=header("boost/intrusive_ptr.hpp")),
    Contender("by_hand", "new and delete by hand", [built("by_hand")], build=cpp("BY_HAND")),
    Contender("libgc", "Boehm's libgc", [built("libgc")], collects=True, build=cpp("LIBGC", "-lgc"),
              needs=header("gc/gc_allocator.h"), version=["dpkg-query", "-W", "-f", "libgc ${Version}", "libgc-dev"]),
    Contender("python", "CPython", ["python3", os.path.join(PROGRAMS, "workloads.py")], kind="refcount", collects=True,
              needs=tools("python3"), version=["python3", "--version"]),
    Contender("nim", "Nim, ORC", [built("nim")], kind="refcount", collects=True, needs=tools("nim"),
              build=[["nim", "c", "--mm:orc", "-d:danger", "--passC:-O2", "--hints:off", "--warnings:off",
                      "--nimcache:" + built("nim.cache"), "-o:" + built("nim"), os.path.join(PROGRAMS, "workloads.nim")]],
              version=["nim", "--version"]),
    Contender("php", "PHP", ["php", os.path.join(PROGRAMS, "workloads.php")], kind="refcount", collects=True,
              needs=tools("php"), version=["php", "--version"]),
    Contender("java", "Java (context)", ["java", "-cp", built("java"), "Workloads"], kind="context", collects=True,
              switches=False, needs=tools("java", "javac"),
              build=[["javac", "-d", built("java"), os.path.join(PROGRAMS, "Workloads.java")]],
              version=["java", "--version"]),
    Contender("node", "Node.js (context)", ["node", "--expose-gc", os.path.join(PROGRAMS, "workloads.js")], kind="context",
              collects=True, switches=False, needs=tools("node"), version=["node", "--version"]),
]


class Workload:
    """`parameters` maps a mode to the arguments; `variant` holds those that differ in a second run of collectors."""

    def __init__(self, name, program, title, unit, what, quick, smoke, full, only_collectors=False, also=(), without=(),
                 may_crash=(), variant=None, names=None, rounds=None):
        self.name = name
        self.program = program
        self.title = title
        self.unit = unit
        self.what = what
        self.parameters = {"quick": quick, "smoke": smoke, "full": full}
        self.only_collectors = only_collectors
        self.also = also
        self.without = without  # who has no part in it
        self.may_crash = may_crash
        self.variant = variant
        self.names = names or {}
        self.rounds = rounds  # fewer than the mode's

    def contenders(self):
        return [c for c in CONTENDERS
                if (not self.only_collectors or c.collects or c.name in self.also) and c.name not in self.without]


def grid(size, payload, live, quick, full, shape="rings"):
    what = {"rings": f"Cycles of {size:,}", "trees": f"Trees of {size:,} with parents"}[shape]
    program = "cyclotron" if shape == "rings" else "cyclotron_" + shape
    few = min(quick, 5000 if payload <= 10_000 else 500)
    return Workload(
        f"{program}_{size}_{payload}_{live}", program,
        f"{what}, payload {payload:,} B, {live:,} alive", "object",
        f"{shape} made all the time, the last few kept; the most garbage outstanding is what a collector lets pile up",
        quick={"size": size, "payload": payload, "live": live, "objects": quick},
        smoke={"size": size, "payload": payload, "live": min(live, 1000), "objects": few},
        full={"size": size, "payload": payload, "live": live, "objects": full})


WORKLOADS = [
    Workload("trees", "trees", "Binary trees", "node", "allocation and prompt death, no cycles",
             quick={"depth": 15}, smoke={"depth": 8}, full={"depth": 18}),
    Workload("parents", "parents", "Binary trees whose nodes know their parents", "node",
             "each tree is one cyclic structure; weak_ptr or a plain pointer leads to the parent for those who count",
             quick={"depth": 11, "trees": 1500}, smoke={"depth": 8, "trees": 10}, full={"depth": 11, "trees": 8000}),
    Workload("lists", "lists", "Doubly linked lists of 4,096", "link", "long cyclic chains",
             quick={"lists": 1000, "length": 4096}, smoke={"lists": 3, "length": 4096},
             full={"lists": 4000, "length": 4096}),
    Workload("pairs", "pairs", "Cycles of two objects", "object", "the smallest cycle",
             quick={"pairs": 3_000_000}, smoke={"pairs": 10_000}, full={"pairs": 10_000_000}),
    Workload("growth", "growth", "A live list grows, automatic collection on and off", "node",
             "what collections that find nothing cost; also the memory of a node",
             quick={"nodes": 3_000_000, "collect": 1}, smoke={"nodes": 10_000, "collect": 1},
             full={"nodes": 4_000_000, "collect": 1}, variant={"collect": 0}),
    Workload("full", "full", "Full collection of nodes in random order, all alive", "node",
             "explicit collections, a reference copied and dropped before each: Nim and PHP look only at what can be reached "
             "from there, here four fifths of the nodes; by hand: a depth-first walk over all nodes",
             quick={"nodes": 1_000_000, "collections": 5}, smoke={"nodes": 10_000, "collections": 2},
             full={"nodes": 1_000_000, "collections": 10}, only_collectors=True, also=("by_hand",),
             names={"by_hand": "a plain walk over the nodes"}),
    Workload("window", "window", "A window over a stream of 1 KiB messages", "message",
             "the longest pause beside a large live heap; each message is a cycle of two",
             quick={"window": 100_000, "pushes": 500_000}, smoke={"window": 1000, "pushes": 5000},
             full={"window": 200_000, "pushes": 1_000_000}),
    Workload("hub", "hub", "Garbage that refers to a hub of living objects", "tick",
             "the trap of collectors that start from candidates",
             quick={"spokes": 100_000, "ticks": 200_000}, smoke={"spokes": 2000, "ticks": 2000},
             full={"spokes": 1_000_000, "ticks": 1_000_000}),
    Workload("chain", "chain", "A chain of a million, made and dropped", "node",
             "whether a long chain dies at all, and what that costs",
             quick={"length": 1_000_000}, smoke={"length": 200_000}, full={"length": 10_000_000},
             may_crash=("shared", "shared_threaded", "intrusive", "nim", "php")),
    Workload("ring", "ring", "Rings of 100,000", "node", "those who only count cut the ring by hand",
             quick={"rings": 20, "length": 100_000}, smoke={"rings": 2, "length": 1000},
             full={"rings": 100, "length": 100_000}, may_crash=("php",)),
    Workload("gcbench", "gcbench", "GCBench", "node", "trees beside a long-lived tree and array",
             quick={"stretch": 16, "long_lived": 14, "deepest": 14, "array": 500_000},
             smoke={"stretch": 8, "long_lived": 8, "deepest": 6, "array": 1000},
             full={"stretch": 18, "long_lived": 16, "deepest": 16, "array": 500_000}),
    Workload("collect_rings", "collect_rings", "Many rings of 20 and an explicit collection", "link",
             "the shape of pyperformance's gc_collect",
             quick={"loops": 500, "cycles": 100, "links": 20}, smoke={"loops": 5, "cycles": 100, "links": 20},
             full={"loops": 3000, "cycles": 100, "links": 20}),
    Workload("traversal", "traversal", "Full collection of few objects with many references", "reference",
             "the shape of pyperformance's gc_traversal; a reference to the last level is copied and dropped before each",
             quick={"levels": 1000, "collections": 20}, smoke={"levels": 100, "collections": 2},
             full={"levels": 1000, "collections": 100}, only_collectors=True),
    Workload("stress", "stress", "A random graph that changes", "operation",
             "nodes made, connected and followed at random; only for those who find cycles themselves",
             quick={"slots": 4096, "operations": 2_000_000}, smoke={"slots": 256, "operations": 10_000},
             full={"slots": 32768, "operations": 5_000_000}, only_collectors=True),
    Workload("lists_and_trees", "lists_and_trees", "A list of strings beside trees with parents", "node",
             "the shape of Nim's torcbench",
             quick={"rounds": 10, "length": 5000, "trees": 401, "depth": 8},
             smoke={"rounds": 1, "length": 500, "trees": 4, "depth": 8},
             full={"rounds": 100, "length": 5000, "trees": 401, "depth": 8}),
    Workload("loops", "loops", "Havlak's loop finder", "block",
             "control-flow graphs built and their loops found: blocks, loops and places in a union that refer to each other "
             "in every direction",
             quick={"graphs": 40, "depth": 3, "width": 5}, smoke={"graphs": 2, "depth": 2, "width": 3},
             full={"graphs": 200, "depth": 4, "width": 5}),
    Workload("lru", "lru", "A cache that evicts what was used longest ago", "operation",
             "a hash map and a doubly linked list; each evicted entry is a cycle of two that refers to living neighbours",
             quick={"capacity": 50_000, "keys": 200_000, "operations": 500_000},
             smoke={"capacity": 500, "keys": 2000, "operations": 5000},
             full={"capacity": 200_000, "keys": 800_000, "operations": 3_000_000}),
    grid(10, 0, 100, 1_000_000, 5_000_000),
    grid(10, 10_000, 1000, 200_000, 1_000_000),
    grid(100, 0, 10_000, 1_000_000, 5_000_000),
    grid(1000, 0, 30_000, 1_000_000, 5_000_000),
    grid(1000, 10_000, 10_000, 100_000, 300_000),
    grid(10, 100_000, 100, 6_000, 30_000),
    grid(10, 300_000, 100, 3_000, 20_000),
    grid(100, 0, 10_000, 1_000_000, 5_000_000, shape="trees"),
]


def memory(name, program, what, quick, smoke, full, without=()):
    """Figures that hardly differ from run to run, for C++ and CPython; threads make no difference to them."""
    return Workload(name, program, "", "object", what, quick, smoke, full, rounds=1,
                    without=("shared_threaded", "nim", "php", "java", "node", *without))


MEMORY = [
    *(memory(name, name, what, quick={"count": 1_000_000}, smoke={"count": 10_000}, full={"count": 1_000_000})
      for name, what in (("bytes_of_node", "two references and a 64-bit value"), ("bytes_of_one_reference", "one reference"),
                         ("bytes_of_int", "an int"), ("bytes_of_64", "64 bytes"))),
    memory("swings", "swings", "16 types of 16 to 512 bytes come and go in no order",
           quick={"most": 200_000, "swings": 3}, smoke={"most": 5000, "swings": 2}, full={"most": 1_000_000, "swings": 10}),
    memory("types", "types", "one object each of 1,000 types", quick={}, smoke={}, full={},
           without=("intrusive", "by_hand", "libgc", "python")),
]
