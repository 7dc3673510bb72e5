#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Write the tables of docs/evidence/native-programs.md from what `make evidence-programs` recorded.

usage: tools/evidence/native_programs.py [--check] [DATA [PAGE]]
With --check: writes nothing; 1 when the tables are not what the data says.
"""
import os
import pathlib
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tools"), str(ROOT / "tools/plotting")]

import machines  # noqa: E402 pylint: disable=wrong-import-position
import page  # noqa: E402 pylint: disable=wrong-import-position
import strace_log  # noqa: E402 pylint: disable=wrong-import-position
from records import (  # noqa: E402 pylint: disable=wrong-import-position
    BadInput, get, groups, number, read_records, text)

DATA = ROOT / "docs/evidence/data/programs-native.jsonl"
PAGE = ROOT / "docs/evidence/native-programs.md"


def rates(record):
    """The rates of the busiest mm in a run, from its counts: the members of a record."""
    alone, traced = record["alone"], record["traced"]
    speed = alone["work"] / alone["seconds"]
    per_work = speed / traced["work"]
    calls = record["mm"]["calls"]
    return {"calls_per_s": round(sum(calls.values()) * per_work, 3),
            "sections_per_s": round(strace_log.sections(calls) * per_work, 3),
            "slowdown": round(speed * traced["seconds"] / traced["work"], 3)}


def check(record, where):
    """The record; BadInput when it is not one, or its rates are not those of its counts."""
    if record["type"] != "native-program":
        raise BadInput(f"{where}: not a run of a native program")
    text(record, "program", where)
    if text(record, "status", where) != "ok":
        return record
    for half in ("alone", "traced"):
        for member in ("work", "seconds"):
            if not number(record, f"{half}.{member}", where):
                raise BadInput(f"{where}: {half}.{member} is 0")
    calls = get(record, "mm.calls", where, dict)
    if not all(isinstance(n, int) and n > 0 for n in calls.values()):
        raise BadInput(f"{where}: mm.calls are not counts")
    for name, value in rates(record).items():
        if number(record, name, where) != value:
            raise BadInput(f"{where}: {name} is not {value}, which the counts give")
    return record


def read(path):
    """{program: its runs}, of all records that are ok; and {program: why} of the others."""
    records = [check(record, where) for where, record in read_records(str(path))]
    good = [record for record in records if record["status"] == "ok"]
    bad = {record["program"]: record["status"] for record in records if record["status"] != "ok"}
    return groups(good, lambda record: record["program"]), bad


def all_runs(programs):
    return [run for runs in programs.values() for run in runs]


# --- tables ---------------------------------------------------------------------------------------

def digits(value):
    """With three digits, and never as 1e+04."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def span(runs, name):
    """The least and the most of the runs."""
    found = [digits(f(run[name] for run in runs)) for f in (min, max)]
    return " to ".join(dict.fromkeys(found))


def calls_of(runs):
    """{key: calls} of all runs together, the most frequent first."""
    found = {}
    for run in runs:
        for key, n in run["mm"]["calls"].items():
            found[key] = found.get(key, 0) + n
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def main_operation(runs):
    """The calls that take most of the write sections, with their share of them."""
    taken = {key: n for key, n in calls_of(runs).items() if strace_log.SECTIONS[key][0]}
    if not taken:
        return "-"
    key, n = next(iter(taken.items()))
    return f"`{key}`, {n / sum(taken.values()) * 100:.0f}%"


def sections_span(runs):
    """The same of the write sections; of none at all, the 95 % upper bound too."""
    if any(run["sections_per_s"] for run in runs):
        return span(runs, "sections_per_s")
    speed = max(run["alone"]["work"] / run["alone"]["seconds"] for run in runs)
    return f"0 (< {digits(3 * speed / sum(run['traced']['work'] for run in runs))})"


def sections_table(programs):
    names = machines.split(all_runs(programs))
    rows = [[name, *machines.each(names, runs, sections_span), *machines.each(names, runs, lambda own: span(own, "calls_per_s")),
             main_operation(runs), len(runs)] for name, runs in programs.items()]
    return page.table(["program", *machines.heads(names, "write sections/s", "calls/s"), "main operation, of its sections", "runs"], rows)


def speed(runs):
    found = [run["alone"]["work"] / run["alone"]["seconds"] for run in runs]
    return f"{' to '.join(dict.fromkeys((digits(min(found)), digits(max(found)))))} {runs[0]['unit']}/s"


def work_table(programs):
    names, rows = machines.split(all_runs(programs)), []
    for name, runs in programs.items():
        rows.append([name, "; ".join(dict.fromkeys(run["version"] for run in runs)), f"`{runs[0]['mm']['program']}`",
                     max(run["mms"] for run in runs), *machines.each(names, runs, speed),
                     span(runs, "slowdown"), span(runs, "calls_before")])
    return page.table(["program", "version", "busiest mm", "mms", *machines.heads(names, "work, alone"),
                       "times slower under strace", "calls before the work"], rows, words=3)


def calls_table(programs):
    rows = []
    for name, runs in programs.items():
        every = calls_of(runs)
        shares = [f"`{key}` {n:,}" for key, n in every.items()]
        rows.append([name, ", ".join(shares[:6]) + (", ..." if len(shares) > 6 else "")])
    return page.table(["program", "calls of all runs under strace"], rows, words=2)


def machine_facts(runs):
    """{what: measured} of one machine."""
    machine = runs[0]["machine"]
    seconds = [run["alone"]["seconds"] + run["traced"]["seconds"] for run in runs]
    loads = [run[half]["load"][0] for run in runs for half in ("alone", "traced")]
    dates = sorted({run["date"][:10] for run in runs})
    kind = "virtual machine" if machine["virtual"] else "hardware"
    return {"processor": f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_kib'] / 1024 / 1024:.0f} GiB, {kind}",
            "kernel": f"{machine['kernel']} ({machine['arch']})",
            **{f"mitigation: {name}": said for name, said in machine["mitigations"].items()},
            "recorded": " to ".join(dict.fromkeys((dates[0], dates[-1]))),
            "load average before a run": f"{min(loads):.2f} to {max(loads):.2f}",
            "seconds of work a run, alone and under strace": f"{min(seconds):.0f} to {max(seconds):.0f}"}


def machine_table(programs):
    return machines.table({name: machine_facts(runs) for name, runs in machines.split(all_runs(programs)).items()})


def parts(path=DATA):
    programs, bad = read(path)
    return {"sections": sections_table(programs), "work": work_table(programs),
            "calls": calls_table(programs), "machine": machine_table(programs),
            "failed": page.bullets(f"{name}: {why}" for name, why in bad.items())}


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    data, where = (arguments + [DATA, PAGE][len(arguments):])[:2]
    try:
        found = parts(data)
    except BadInput as err:
        print(f"native_programs: {err}", file=sys.stderr)
        return 1
    if "--check" not in sys.argv:
        page.update(where, found)
        return 0
    said = pathlib.Path(where).read_text(encoding="utf-8")
    return 0 if page.with_parts(said, found) == said else 1


if __name__ == "__main__":
    sys.exit(main())
