#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs every workload as a process of its own for every contender, in turns, and writes figures and charts.

usage: run.py [--quick | --smoke] [--publish] [--only NAMES] [--report-only]

Fails if two contenders disagree about a workload's checksum, or one crashes that should not.
"""

import argparse
import concurrent.futures
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import report
import suite

RESULTS = os.path.join(suite.ROOT, "benchmarks", "results")
ROUNDS = {"smoke": 1, "quick": 5, "full": 7}
LIMIT = {"smoke": 20, "quick": 40, "full": 600}  # seconds a run may take
HURRY = {"smoke": 60, "quick": 420, "full": 3600}  # seconds after which all run in three rounds only
FEW = {"smoke": 20, "quick": 0.5, "full": 10}  # who takes longer than this runs in three rounds only
ONCE = {"smoke": 20, "quick": 5, "full": 100}  # and longer than this, once
MEDIAN_OF = ("cpu_s", "wall_s", "peak_mib", "ns_each", "drop_ns_each", "collect_ns_each", "pause_p50_us",
             "pause_p99_us", "bytes_each", "bytes_collecting", "bytes_after", "bytes_with_code", "resident_at_most",
             "resident_at_tenth", "resident_after")
BUILT_AT_ONCE = 2


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def build_one(contender, chosen):
    """Why it can't run, or None."""
    why = contender.needs()
    if why is not None or not contender.build:
        return why
    say(f"==> building {contender.name}")
    commands = list(contender.build)
    if contender.types:
        commands.append([*contender.types, f"-DBENCH_TYPES={suite.MANY_TYPES[chosen]}"])
    for command in commands:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode == 0:
            continue
        tail = (run.stderr + run.stdout).strip().splitlines()[-15:]
        if contender.kind == "cpp":
            sys.exit("\n".join(["error: building " + contender.name + " failed", *tail]))
        return "building failed: " + " ".join(tail[-1:])
    return None


def build(chosen, skipped):
    """Builds what can be built; returns the contenders that can run."""
    os.makedirs(suite.BUILD, exist_ok=True)
    subprocess.run(suite.MEASURE, check=True)
    with concurrent.futures.ThreadPoolExecutor(BUILT_AT_ONCE) as pool:
        reasons = list(pool.map(lambda contender: build_one(contender, chosen), suite.CONTENDERS))
    ready = []
    for contender, why in zip(suite.CONTENDERS, reasons):
        if why is None:
            ready.append(contender)
        else:
            say(f"skipped: {contender.title}: {why}")
            skipped.append({"contender": contender.title, "why": why})
    return ready


def run_once(contender, workload, parameters, limit):
    """One process. Returns what it printed together with what the system says it used."""
    program, *fixed = contender.command
    if workload.program == "types":
        program = suite.built("types_" + contender.name)
    options = [argument for argument in fixed if "=" in argument]
    command = [program, *(argument for argument in fixed if argument not in options), workload.program, *options]
    command += [f"{name}={value}" for name, value in parameters.items()]
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as used:
        run = subprocess.run([suite.built("measure"), used.name, str(limit), *command], capture_output=True, text=True,
                             check=False)
        figures = used.read().split()
    if len(figures) != 4:
        return {"status": "not run: " + run.stderr.strip()[-200:], "fatal": True}
    cpu, wall, peak, status = float(figures[0]), float(figures[1]), int(figures[2]), int(figures[3])
    row = {"cpu_s": cpu, "wall_s": wall, "peak_mib": peak / 1024}
    if status == -14:
        return {**row, "status": f"stopped after {limit} s"}
    if status != 0:
        crashed = f"crashed (signal {-status})" if status < 0 else f"failed (exit code {status})"
        return {**row, "status": crashed, "fatal": contender.name not in workload.may_crash, "errors": run.stderr[-500:]}
    return {**row, "status": "ok", **json.loads(run.stdout)}


def combine(runs):
    """Medians; of the longest pauses the shortest, as what else the machine does only makes them longer."""
    good = [run for run in runs if run["status"] == "ok"]
    if not good:
        return {key: runs[0][key] for key in runs[0] if key != "errors"} | {"runs": len(runs)}
    row = {key: good[0][key] for key in ("status", "checksum", "items")} | {"runs": len(good)}
    for key in MEDIAN_OF:
        if key in good[0]:
            row[key] = statistics.median(run[key] for run in good)
    row["ns_least"] = min(run["ns_each"] for run in good)
    row["ns_most"] = max(run["ns_each"] for run in good)
    if "pause_max_us" in good[0]:
        row["pause_max_us"] = min(run["pause_max_us"] for run in good)
    if "most_garbage" in good[0]:
        row["most_garbage"] = max(run["most_garbage"] for run in good)
    return row


def has_run_enough(before, mode, hurry):
    if not before:
        return False
    if before[0]["status"] != "ok" or before[0]["wall_s"] > ONCE[mode]:
        return True
    return len(before) >= 3 and (hurry or before[0]["wall_s"] > FEW[mode])


def run_workload(workload, ready, mode, hurry, problems):
    say(f"==> {workload.name}")
    entrants = []
    for contender in workload.contenders():
        if contender not in ready:
            continue
        title = workload.names.get(contender.name, contender.title)
        entrants.append((contender, title, contender.name, workload.parameters[mode]))
        if workload.variant and contender.collects and contender.switches:
            entrants.append((contender, title + ", collection off", contender.name + "_off",
                             workload.parameters[mode] | workload.variant))
    runs = {key: [] for _, _, key, _ in entrants}
    for turn in range(min(ROUNDS[mode], workload.rounds or ROUNDS[mode])):
        for i in range(len(entrants)):
            contender, _, key, parameters = entrants[(i + turn) % len(entrants)]
            before = runs[key]
            if has_run_enough(before, mode, hurry):
                continue
            before.append(run_once(contender, workload, parameters, LIMIT[mode]))
            if before[-1].get("fatal"):
                problems.append(f"{workload.name}: {key}: {before[-1]['status']} {before[-1].get('errors', '')}")
    rows = []
    for contender, title, key, _ in entrants:
        row = {"contender": key, "title": title, "kind": contender.kind, **combine(runs[key])}
        rows.append(row)
        figure = f"{row['ns_each']:10.1f} ns" if row["status"] == "ok" else row["status"]
        say(f"    {title:40} {figure}")
    checksums = {row["checksum"]: row["contender"] for row in rows if row["status"] == "ok"}
    checksums |= {run["checksum"]: key for key in runs for run in runs[key] if run["status"] == "ok"}
    if len(checksums) > 1:
        problems.append(f"{workload.name}: the checksums differ: {checksums}")
    return {"name": workload.name, "title": workload.title, "unit": workload.unit, "what": workload.what,
            "parameters": workload.parameters[mode], "rows": rows}


def first_line(command):
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    lines = (run.stdout or run.stderr).strip().splitlines()
    return lines[0].strip() if lines else None


def describe_machine():
    model = "unknown processor"
    memory = 0
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
        with open("/proc/meminfo", encoding="utf-8") as file:
            memory = int(file.readline().split()[1]) // 1024
    except OSError:
        pass
    return {"processor": model, "cores": os.cpu_count(), "memory_mib": memory, "machine": platform.machine(),
            "system": " ".join(platform.freedesktop_os_release().get(key, "") for key in ("NAME", "VERSION_ID"))
            if hasattr(platform, "freedesktop_os_release") else platform.system(), "load_before": os.getloadavg()[0]}


def ratios(mode):
    """The table of tools/bench.sh, which takes turns within one process."""
    options = {"quick": ["--rounds", "5"], "full": []}.get(mode)
    if options is None:
        return None
    say("==> the ratios of tools/bench.sh")
    run = subprocess.run(["bash", os.path.join(suite.ROOT, "tools", "bench.sh"), "--json", *options],
                         stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        return None
    return json.loads(run.stdout)


def keep_others(file_name, results):
    """Adds what an earlier run in the same mode measured and this one did not."""
    try:
        with open(file_name, encoding="utf-8") as file:
            earlier = json.load(file)
    except OSError:
        return
    if earlier["mode"] != results["mode"]:
        return
    measured_now = results["workloads"]
    for key, listed in (("workloads", suite.WORKLOADS), ("memory", suite.MEMORY)):
        found = {workload["name"]: workload for workload in earlier.get(key, []) + results[key]}
        results[key] = [found[workload.name] for workload in listed if workload.name in found]
    results["ratios"] = earlier["ratios"]
    results["later"] = sorted({*earlier.get("later", []), *(workload["name"] for workload in measured_now)})
    results["seconds"] = earlier["seconds"]  # those of a whole run
    results["machine"]["load_before"] = earlier["machine"]["load_before"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_const", dest="mode", const="quick", help="under 15 minutes on 2 cores")
    mode.add_argument("--smoke", action="store_const", dest="mode", const="smoke", help="tiny: do all agree?")
    parser.add_argument("--publish", action="store_true",
                        help="write docs/benchmarks.md, its charts and the figures of README.md too")
    parser.add_argument("--only", default="", help="workloads, separated by commas; results of the others are kept")
    parser.add_argument("--report-only", action="store_true", help="write the reports again from results.json")
    options = parser.parse_args()
    chosen = options.mode or "full"
    file_name = os.path.join(RESULTS, "results.json")
    if options.report_only:
        with open(file_name, encoding="utf-8") as file:
            report.write(json.load(file), RESULTS, options.publish)
        return 0

    start = time.monotonic()
    wanted = [name for name in options.only.split(",") if name]
    unknown = set(wanted) - {workload.name for workload in suite.WORKLOADS + suite.MEMORY}
    if unknown:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    skipped, problems = [], []
    if chosen == "smoke" and report.readme_problem():
        problems.append(report.readme_problem())
    machine = describe_machine()
    ready = build(chosen, skipped)
    versions = {"compiler": first_line([suite.compiler(), "--version"])}
    for contender in ready:
        if contender.version:
            versions[contender.name] = first_line(contender.version)
    workloads, memory = (
        [run_workload(workload, ready, chosen, time.monotonic() - start > HURRY[chosen], problems)
         for workload in listed if not wanted or workload.name in wanted] for listed in (suite.WORKLOADS, suite.MEMORY))
    results = {"mode": chosen, "rounds": ROUNDS[chosen], "limit_s": LIMIT[chosen], "machine": machine,
               "versions": versions, "skipped": skipped, "workloads": workloads, "memory": memory,
               "ratios": None if wanted else ratios(chosen)}
    if not wanted and chosen != "smoke" and results["ratios"] is None:
        problems.append("tools/bench.sh failed")
    results["machine"]["load_after"] = os.getloadavg()[0]
    results["seconds"] = round(time.monotonic() - start)
    if wanted and chosen != "smoke":
        keep_others(file_name, results)
    if chosen != "smoke":
        os.makedirs(RESULTS, exist_ok=True)
        with open(file_name, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
        if not problems:
            report.write(results, RESULTS, options.publish)
        say(f"==> {os.path.relpath(RESULTS)}: results.json" + ("" if problems else ", results.md, charts"))
    for problem in problems:
        say("error:", problem)
    say(f"==> {len(workloads + memory)} workloads in {time.monotonic() - start:.0f} s, {len(problems)} problems, "
        f"{len(skipped)} skipped")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
