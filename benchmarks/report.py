# SPDX-License-Identifier: BSL-1.0
"""Turns results.json into a Markdown page and charts; judges nothing that isn't in the figures."""

import json
import os

import charts
import suite

SHORT = {"pygc": "pygc", "shared": "shared_ptr", "shared_threaded": "shared_ptr, threaded", "intrusive": "intrusive_ptr",
         "by_hand": "by hand", "libgc": "libgc", "python": "CPython", "nim": "Nim", "php": "PHP", "java": "Java",
         "node": "Node"}

INTRODUCTION = """\
# Benchmarks

Whole programs, the same work for pygc and for what it could be compared with, each run a process of its own.
`bash benchmarks/run.sh --quick` measures everything here again (Debian and Ubuntu: it installs the peers; elsewhere
it says what it leaves out), into `benchmarks/results/`; `--publish` renews this page, which is generated and not
edited. Without `--quick` the work is larger.
"""

READING = """\
## How to read the figures

- **The work.** `benchmarks/programs/workloads.hpp` has each workload once for C++, as a template over the way memory is
  managed; the other languages do the same steps with the same parameters. Each program prints a checksum, and a
  run in which two of them differ fails.
- **Time** is processor time of the whole process, threads of a collector included, spent on the work: without the
  start of an interpreter, without what the system does at the end. It is divided by the number of nodes (links,
  operations). `least` and `most` show how the runs of one contender spread. `CPU s` and `wall s` are of
  the whole process.
- **Turns.** Contenders take turns within each round; figures are medians over the rounds. Who takes long runs in fewer
  rounds; `runs` says how many. **The machine was shared with other work**: compare figures of one table, not of two
  tables, and not with another machine's.
- **Pauses** are the time from one step of the program to the next, the step's own work included. Of steps of over
  100 us the thread's processor time counts, so that other programs on the machine don't look like pauses; Java and
  Node, whose collectors have threads of their own, are shown in wall time. The longest pause is the smallest of the
  runs' longest ones.
- **Peak** is the largest resident size of the process, interpreter or virtual machine included.
- **Most garbage** is the largest number of dead objects not yet freed, counted by constructors and destructors.
  libgc, Java and Node don't run destructors, so they have none.
- **The contenders.** `shared_ptr + weak_ptr`: owning references are `shared_ptr`, those that lead back `weak_ptr`, which
  the programmer has to get right. libstdc++ counts without atomic instructions until the program starts its first
  thread; the second row has started one (and joined it). `boost::intrusive_ptr` counts without atomic instructions,
  raw pointers lead back. `new and delete by hand` knows when everything dies. Boehm's libgc runs no destructors.
  Rings are cut by hand for all those who only count. pygc's program tells the collector of payloads outside the objects
  with `external_bytes`. Java and Node trace and move objects, free nothing promptly,
  and are here as context.
- **Chains.** `shared_ptr`, `boost::intrusive_ptr`, Nim and PHP drop a chain recursively and overflow the stack: "crashed".
  PHP's collector does the same with a ring.
- Compiled with `-O2`, Nim with `--mm:orc -d:danger`, everything else as it comes.
"""

NOT_YET = """\
## Not yet here

The other programs of are-we-fast-yet; several threads with a heap each; larson and the other allocator benchmarks.
"""


def plain(value):
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def by_contender(workload):
    return {row["contender"]: row for row in workload["rows"]}


def measured(workload):
    return {name: row for name, row in by_contender(workload).items() if row["status"] == "ok"}


def peers_of(results):
    present = {row["contender"] for workload in results["workloads"] for row in workload["rows"]}
    return [name for name in SHORT if name in present and name != "pygc"]


def overview(results):
    peers = peers_of(results)
    lines = ["## pygc's time divided by the peer's", "",
             "Below 1 (bold) pygc is faster. A word says why there is no figure; an empty cell that the peer has no part "
             "in the workload.", "",
             "| workload | pygc, ns | " + " | ".join(SHORT[name] for name in peers) + " |",
             "|---|---:|" + "---:|" * len(peers)]
    for workload in results["workloads"]:
        rows = by_contender(workload)
        ours = rows["pygc"]
        cells = []
        for name in peers:
            row = rows.get(name)
            if row is None:
                cells.append("")
            elif row["status"] != "ok":
                cells.append(row["status"].split(" ")[0])
            else:
                ratio = ours["ns_each"] / row["ns_each"]
                cells.append(f"**{ratio:.2f}**" if ratio < 1 else f"{ratio:.2f}")
        lines.append(f"| {workload['title']} | {plain(ours['ns_each'])} | " + " | ".join(cells) + " |")
    return lines


def losses(results):
    """Everything like for like where pygc is more than 5 % slower, or takes over a tenth more memory."""
    lines = ["## Where pygc loses", "",
             "All cases where another C++ contender, CPython, Nim or PHP took less than 95 % of pygc's time, or less than "
             "90 % of its memory at the peak (and a MiB less): how many times as much pygc took. The worst first.", "",
             "| workload | time | peak memory |", "|---|---|---|"]
    found = []
    for workload in results["workloads"]:
        rows = measured(workload)
        ours = rows["pygc"]
        time, memory = [], []
        for name, row in rows.items():
            if name not in SHORT or name == "pygc" or row["kind"] == "context":
                continue
            ratio = ours["ns_each"] / row["ns_each"]
            if ratio > 1 / 0.95:
                time.append((ratio, SHORT[name]))
            ratio = ours["peak_mib"] / row["peak_mib"]
            if ratio > 1 / 0.9 and ours["peak_mib"] - row["peak_mib"] > 1:
                memory.append((ratio, SHORT[name]))
        if time or memory:
            cells = ["; ".join(f"{ratio:.2f} {name}" for ratio, name in sorted(of, reverse=True)) for of in (time, memory)]
            found.append((max(ratio for ratio, _ in time + memory), f"| {workload['title']} | {cells[0]} | {cells[1]} |"))
    lines += [line for _, line in sorted(found, reverse=True)]
    growth = next((w for w in results["workloads"] if w["name"] == "growth"), None)
    if growth:
        rows = measured(growth)
        lines += ["", "What automatic collection costs while a live list grows (time with it, divided by time without): " +
                  ", ".join(f"{SHORT[name]} {rows[name]['ns_each'] / rows[name + '_off']['ns_each']:.2f}"
                            for name in SHORT if name in rows and name + "_off" in rows) + "."]
    return lines


COLUMNS = [("ns_each", "ns each"), ("ns_least", "least"), ("ns_most", "most"), ("runs", "runs"), ("cpu_s", "CPU s"),
           ("wall_s", "wall s"), ("peak_mib", "peak MiB"), ("bytes_each", "bytes each"), ("drop_ns_each", "drop, ns each"),
           ("collect_ns_each", "collect, ns each"), ("pause_p50_us", "pause p50, us"), ("pause_p99_us", "p99, us"),
           ("pause_max_us", "max of the best run, us"), ("most_garbage", "most garbage")]


def cell(key, value):
    if value is None:
        return ""
    return f"{value:,.0f}" if key in ("runs", "most_garbage") else plain(value)


def table(workload):
    columns = [(key, name) for key, name in COLUMNS if any(key in row for row in workload["rows"] if row["status"] == "ok")]
    given = ", ".join(f"{name} = {value:,}" for name, value in workload["parameters"].items())
    lines = ["", f"### {workload['title']}", "", f"{workload['what'][0].upper()}{workload['what'][1:]}. "
             f"Time per {workload['unit']}; {given}.", "",
             "| contender | " + " | ".join(name for _, name in columns) + " |", "|---|" + "---:|" * len(columns)]
    for row in workload["rows"]:
        if row["status"] == "ok":
            cells = [cell(key, row.get(key)) for key, _ in columns]
        else:
            cells = [row["status"]] + [""] * (len(columns) - 1)
        lines.append(f"| {row['title']} | " + " | ".join(cells) + " |")
    return lines


def machine(results):
    m = results["machine"]
    versions = ", ".join(version for version in results["versions"].values() if version)
    lines = ["## Machine and versions", "",
             f"{m['processor']}, {m['cores']} cores, {m['memory_mib'] / 1024:.0f} GiB, {m['system']}, {m['machine']}; "
             f"load {m['load_before']:.1f} before and {m['load_after']:.1f} after. {versions}. "
             f"Mode `{results['mode']}`, up to {results['rounds']} rounds, {results['seconds'] / 60:.0f} minutes."]
    if results.get("later"):
        later = [workload["title"] for workload in results["workloads"] if workload["name"] in results["later"]]
        lines += ["", f"In a later run than the others: {'; '.join(later)}."]
    if results["skipped"]:
        lines += [""] + [f"- skipped: {entry['contender']}: {entry['why']}" for entry in results["skipped"]]
    return lines


def ratios(results):
    measured_ratios = results.get("ratios")
    if not measured_ratios:
        return []
    lines = ["## Single operations", "",
             "From `bash tools/bench.sh`, which takes turns within one process.", "",
             "| measured | pygc | against | figure | goal | |", "|---|---:|---|---:|---:|---|"]
    for row in measured_ratios["rows"]:
        against = f"{row['against']} {plain(row['theirs'])} {row['unit']}" if "against" in row else ""
        goal = f"<= {row['goal']:g}" if "goal" in row else ""
        lines.append(f"| {row['what']} | {plain(row['pygc'])} {row['unit']} | {against} | {row['figure']:.2f} | {goal} | "
                     f"{row.get('verdict', '')} |")
    return [*lines, ""]


# Title of the column, workload, figure.
OBJECT_COLUMNS = [
    ("two references and a 64-bit value", "bytes_of_node", "bytes_each"),
    ("peak while all are collected", "bytes_of_node", "bytes_collecting"),
    ("after that", "bytes_of_node", "bytes_after"),
    ("one reference", "bytes_of_one_reference", "bytes_each"),
    ("an int", "bytes_of_int", "bytes_each"),
    ("64 bytes", "bytes_of_64", "bytes_each"),
]
SWING_COLUMNS = [
    ("when all live", "swings", "resident_at_most"),
    ("at the end, a tenth alive", "swings", "resident_at_tenth"),
    ("after a full collection", "swings", "resident_after"),
]
TYPE_COLUMNS = [
    ("tables, pages, the object", "types", "bytes_each"),
    ("after a full collection", "types", "bytes_after"),
    ("with code", "types", "bytes_with_code"),
    ("ns to make it", "types", "ns_each"),
]


def memory_table(results, columns):
    rows = {}
    for _, workload_name, key in columns:
        for workload in results.get("memory", []):
            if workload["name"] == workload_name:
                for row in workload["rows"]:
                    rows.setdefault(row["title"], {})[workload_name, key] = row.get(key)
    return ["| contender | " + " | ".join(title for title, _, _ in columns) + " |", "|---|" + "---:|" * len(columns),
            *(f"| {title} | " + " | ".join(cell(key, figures.get((name, key))) for _, name, key in columns) + " |"
              for title, figures in rows.items())]


def memory(results):
    if not results.get("memory"):
        return []
    types = suite.MANY_TYPES[results["mode"]]
    return ["## Memory", "",
            "Resident bytes an object, of a million, which hold each other in a chain or, without a reference, are held by an "
            "array that doesn't count; then the peak of a full collection. In CPython the ints are its own and 64 bytes are a "
            "`bytes`.", "",
            *memory_table(results, OBJECT_COLUMNS), "",
            "Sixteen types of 16 to 512 bytes; objects come and go in no order while their number swings between all and a "
            "tenth. Resident bytes for each byte that the living ones asked for: what is wasted, and what goes back to the "
            "system when a program needs less.", "",
            *memory_table(results, SWING_COLUMNS), "",
            f"Bytes for each further type of which there is one object, of {types:,} types that differ in nothing but their "
            "name. Code is read in steps of 64 KiB.", "",
            *memory_table(results, TYPE_COLUMNS), ""]


def single_operation(what, against=None):
    """From the rows of tools/bench.sh."""
    def figure(results):
        rows = (results.get("ratios") or {}).get("rows", [])
        return next((row["figure"] for row in rows if row["what"] == what and row.get("against") == against), None)
    return figure


def compared(workload_name, other, key="ns_each", ours="pygc"):
    """pygc's figure of a workload divided by another's."""
    def figure(results):
        rows = next((measured(w) for w in results["workloads"] if w["name"] == workload_name), {})
        return rows[ours][key] / rows[other][key] if ours in rows and other in rows else None
    return figure


def bytes_of_node(key):
    def figure(results):
        rows = next((measured(w) for w in results.get("memory", []) if w["name"] == "bytes_of_node"), {})
        return rows["pygc"][key] if "pygc" in rows else None
    return figure


RANDOM_WALK = "depth-first walk in random order"
# What is promised, against what, the figure, the most that it may be.
GOALS = [
    ("copy and drop a reference", "`shared_ptr`, threaded", 0.10,
     single_operation("copy + drop a reference", "shared_ptr, once a thread has run")),
    ("copy and drop a reference", "a hand-written intrusive pointer", 1.05,
     single_operation("copy + drop a reference", "hand-written pointer")),
    ("make and drop a node", "`new` and `delete`", 0.25, single_operation("make + drop a node", "new + delete")),
    ("cycles of two objects made and reclaimed", "`new` and `delete` by hand", 0.60,
     single_operation("make + collect a 2-cycle, per object", "new + delete by hand")),
    ("trees whose nodes know their parents", "`shared_ptr` and `weak_ptr`", 0.40, compared("parents", "shared")),
    ("trees whose nodes know their parents", "`new` and `delete` by hand", 0.60, compared("parents", "by_hand")),
    ("rings of 100,000", "`new` and `delete` by hand", 0.60, compared("ring", "by_hand")),
    ("full collection of 1,000,000 living nodes, random order, all held", "a walk over them", 0.30,
     single_operation("full collection, all held from outside, per object", "depth-first walk")),
    ("the same from one root", "a walk over them", 0.50,
     single_operation("full collection, one root, per object", "depth-first walk")),
    ("the same in order of allocation, all held", "a walk in random order", 0.20,
     single_operation("full collection, all held, in order of allocation, per object", RANDOM_WALK)),
    ("young collection of 2,000 living objects, us", "", 20, single_operation("young collection of 2,000 living objects")),
    ("a live list grows to 3,000,000, collection on", "collection off", 1.15, compared("growth", "pygc_off")),
    ("a chain of 1,000,000 dropped", "`delete` by hand", 1.00, compared("chain", "by_hand", "drop_ns_each")),
    ("resident bytes a node of two references and a 64-bit value", "", 38, bytes_of_node("bytes_each")),
    ("the same, peak of a full collection", "", 52, bytes_of_node("bytes_collecting")),
    ("binary trees, processor seconds", "`shared_ptr`", 0.35, compared("trees", "shared", "cpu_s")),
]


def goals(results):
    lines = ["## Goals", "", "What pygc sets itself: its figure divided by the other's, or where there is no other the figure "
             "itself.", "", "| measured | against | figure | goal | |", "|---|---|---:|---:|---|"]
    met = 0
    for what, against, most, figure_of in GOALS:
        figure = figure_of(results)
        if figure is None:
            lines.append(f"| {what} | {against} | | <= {most:g} | not measured |")
            continue
        met += figure <= most
        lines.append(f"| {what} | {against} | {plain(figure)} | <= {most:g} | {'met' if figure <= most else '**missed**'} |")
    return [*lines, "", f"{met} of {len(GOALS)} are met.", ""]


# The figures of README.md: what it says, the row of tools/bench.sh.
README_ROWS = [
    ("make and drop a node with two references", "`new` and `delete`", "make + drop a node", "new + delete"),
    ("make a two-object cycle and collect it, per object", "`make_shared` without the cycle",
     "make + collect a 2-cycle, per object", "acyclic make_shared pair"),
    ("full collection of 1,000,000 live objects, per object", "walking over them once",
     "full collection, all held from outside, per object", "depth-first walk"),
]
README_BEGIN, README_END = "<!-- figures: benchmarks/report.py -->", "<!-- end of figures -->"


def readme_table(results):
    lines = ["| measured | pygc | against | ratio |", "|---|---:|---:|---:|"]
    for title, other, what, against in README_ROWS:
        row = next(row for row in results["ratios"]["rows"] if row["what"] == what and row.get("against") == against)
        lines.append(f"| {title} | {plain(row['pygc'])} ns | {other} {plain(row['theirs'])} ns | **{row['figure']:.2f}** |")
    return "\n".join(lines)


README = os.path.join(suite.ROOT, "README.md")
DOCS = os.path.join(suite.ROOT, "docs")


def readme_with(results):
    """README.md as it is, and with the figures of these results between the two marks."""
    with open(README, encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(README_BEGIN)
    _, _, after = rest.partition(README_END)
    return text, f"{before}{README_BEGIN}\n{readme_table(results)}\n{README_END}{after}"


def readme_problem():
    """What is wrong with the figures of README.md, or None: they are those of the published results."""
    with open(os.path.join(DOCS, "benchmarks", "results.json"), encoding="utf-8") as file:
        is_now, should_be = readme_with(json.load(file))
    return None if is_now == should_be else "README.md has other figures than docs/benchmarks.md: run.sh --publish"


def make_charts(results):
    """(file name, alternative text, function of the theme)"""
    names = {name: next((c.title for c in suite.CONTENDERS if c.name == name), name) for name in SHORT}
    names["shared_threaded"] = "shared_ptr + weak_ptr, once a thread has run"

    def relative(key):
        rows = []
        for workload in results["workloads"]:
            good = measured(workload)
            rows.append((workload["title"], {name: row[key] / good["pygc"][key] for name, row in good.items()
                                             if name in SHORT and name != "pygc" and row[key] > 0}))
        return [(label[:52], values) for label, values in rows if values]

    def absolute(key):
        rows = [(workload["title"][:52], {name: row[key] for name, row in measured(workload).items()
                                          if name in SHORT and row.get(key, 0) > 0}) for workload in results["workloads"]]
        return [(label, values) for label, values in rows if values]

    wanted = [
        ("time", "Time, pygc = 1", "right of the line: slower than pygc; processor time, logarithmic", relative("ns_each"), 1),
        ("memory", "Peak memory, pygc = 1", "right of the line: more than pygc; whole process, logarithmic",
         relative("peak_mib"), 1),
        ("pause", "Longest pause, microseconds", "from one step of the program to the next, logarithmic; Java and Node: wall time",
         absolute("pause_max_us"), None),
        ("garbage", "Most garbage outstanding, objects", "dead but not yet freed; counted by destructors, logarithmic",
         absolute("most_garbage"), None),
    ]
    return [(name, title, lambda theme, t=title, s=subtitle, r=rows, at=line: charts.dots(t, s, r, names, theme, at))
            for name, title, subtitle, rows, line in wanted if rows]


def page(results, drawn, folder):
    lines = [f"<!-- Generated by benchmarks/report.py from results.json in {folder or 'this folder'}. -->", INTRODUCTION]
    for name, title, _ in drawn:
        where = os.path.join(folder, name)
        lines += [f'<picture><source media="(prefers-color-scheme: dark)" srcset="{where}-dark.svg">'
                  f'<img alt="{title}" src="{where}-light.svg"></picture>', ""]
    lines += [*goals(results), *overview(results), "", *losses(results), "", *machine(results), "", READING, *ratios(results),
              *memory(results), "## Each workload", *sum((table(workload) for workload in results["workloads"]), []), "", NOT_YET]
    return "\n".join(lines)


def write(results, folder, publish):
    places = [(folder, os.path.join(folder, "results.md"), "")]
    if publish:
        places.append((os.path.join(DOCS, "benchmarks"), os.path.join(DOCS, "benchmarks.md"), "benchmarks"))
        if results.get("ratios"):
            _, renewed = readme_with(results)
            with open(README, "w", encoding="utf-8") as file:
                file.write(renewed)
    wording = {workload.name: workload for workload in suite.WORKLOADS}
    for workload in results["workloads"]:  # so that better words need no new run
        if workload["name"] in wording:
            workload["title"] = wording[workload["name"]].title
            workload["what"] = wording[workload["name"]].what
    drawn = make_charts(results)
    for chart_folder, page_name, link in places:
        os.makedirs(chart_folder, exist_ok=True)
        for name, _, draw in drawn:
            for theme in charts.THEMES:
                with open(os.path.join(chart_folder, f"{name}-{theme}.svg"), "w", encoding="utf-8") as file:
                    file.write(draw(theme))
        with open(page_name, "w", encoding="utf-8") as file:
            file.write(page(results, drawn, link).rstrip() + "\n")
        if link:
            with open(os.path.join(chart_folder, "results.json"), "w", encoding="utf-8") as file:
                json.dump(results, file, indent=1)
                file.write("\n")
