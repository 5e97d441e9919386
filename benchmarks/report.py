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
  Rings are cut by hand for all those who only count. Java and Node trace and move objects, free nothing promptly,
  and are here as context.
- **Chains.** `shared_ptr`, `boost::intrusive_ptr`, Nim and PHP drop a chain recursively and overflow the stack: "crashed".
  PHP's collector does the same with a ring.
- Compiled with `-O2`, Nim with `--mm:orc -d:danger`, everything else as it comes.
"""

NOT_YET = """\
## Not yet here

Havlak's loop finder and the other programs of are-we-fast-yet; several threads with a heap each; larson and the
other allocator benchmarks; cyclotron's tree-shaped variant and its largest payloads.
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
             "From `bash tools/bench.sh`, which takes turns within one process; a goal is what pygc promises itself.", "",
             "| measured | pygc | against | figure | goal | |", "|---|---:|---|---:|---:|---|"]
    for row in measured_ratios["rows"]:
        against = f"{row['against']} {plain(row['theirs'])} {row['unit']}" if "against" in row else ""
        goal = f"<= {row['goal']:g}" if "goal" in row else ""
        lines.append(f"| {row['what']} | {plain(row['pygc'])} {row['unit']} | {against} | {row['figure']:.2f} | {goal} | "
                     f"{row.get('verdict', '')} |")
    return [*lines, ""]


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
    lines += [*overview(results), "", *losses(results), "", *machine(results), "", READING, *ratios(results),
              "## Each workload", *sum((table(workload) for workload in results["workloads"]), []), "", NOT_YET]
    return "\n".join(lines)


def write(results, folder, publish):
    places = [(folder, os.path.join(folder, "results.md"), "")]
    if publish:
        docs = os.path.join(suite.ROOT, "docs")
        places.append((os.path.join(docs, "benchmarks"), os.path.join(docs, "benchmarks.md"), "benchmarks"))
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
