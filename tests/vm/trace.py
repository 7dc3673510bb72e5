#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Compare a trace (--trace) with the records of the same run, and with what its load did.

Usage: trace.py [--cut] TRACE [--records FILE] [--truth FILE] [NAME=COUNT...]
--records: the run's -e -j records: for each event there is the element that it should be, and no other.
--truth: the load's truth: there are as many slices of each class.
NAME=COUNT: there are so many elements of this name, slices that begin or instants.
--cut: the run goes on, or its disk was full: the array is not closed, and there is no end.
Prints what is wrong; exits 1 then.
"""
import argparse
import collections
import decimal
import json
import sys

# By phase: what an element has beside name, pid and tid.
MEMBERS = {"M": {"cat", "args"}, "X": {"cat", "ts", "dur", "args"}, "i": {"cat", "ts", "s", "args"}, "b": {"cat", "ts", "id", "args"},
           "e": {"cat", "ts", "id", "args"}}


def read(path, cut):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if cut and text.endswith("\n]\n"):
        sys.exit(f"{path} is closed")
    return json.loads(text + "]" if cut else text, parse_float=decimal.Decimal)


def ns(us):
    """Exactly: a number of microseconds with three decimals."""
    return int(us * 1000)


def form(trace):
    """The Trace Event Format, and the names: each task has one before its first element."""
    named = set()
    for e in trace:
        wanted = MEMBERS.get(e.get("ph"), set()) | {"name", "ph", "pid", "tid"}
        if set(e) != wanted or not isinstance(e["name"], str) or e["pid"] < 1 or e["tid"] < 1:
            yield f"an element that should have {sorted(wanted)}: {e}"
        elif e["name"] == "thread_name":
            named.add((e["pid"], e["tid"]))
        elif e["ph"] != "M" and (e["pid"], e["tid"]) not in named:
            yield f"a task without a name: {e}"


def order(trace):
    """On the track of a thread nothing begins before the last window has ended."""
    ended = collections.defaultdict(int)
    for e in trace:
        if e["ph"] not in "Xi":
            continue
        if ns(e["ts"]) < ended[e["tid"]]:
            yield f"it begins before the last window has ended: {e}"
        ended[e["tid"]] = max(ended[e["tid"]], ns(e["ts"]) + ns(e.get("dur", 0)))


def ends(trace, cut):
    events = [e for e in trace if e["ph"] != "M"]
    if events[0]["name"] != "start" or any(e["cat"] == "run" for e in events[1:-1]):
        yield f"the start is not the first: {events[0]}"
    if events[-1]["name"].startswith("end") == cut:
        yield f"the last element is {events[-1]}"


def holds(trace):
    """The pairs of elements that begin and end a hold, in the order of the ends."""
    begun = {}
    for e in trace:
        if e["ph"] == "b":
            begun[e["id"]] = e
        elif e["ph"] == "e":
            yield begun.pop(e["id"]), e
    if begun:
        sys.exit(f"holds without an end: {begun}")


def as_record(e):
    return {"pid": e["pid"], "tid": e["tid"], "dst": int(e["args"].get("dst", "0x0"), 16) or None}


def of_window(e):
    args = e["args"]
    return as_record(e) | {"class": e["name"], "window_ns": ns(e["dur"]), "kind": args["kind"],
                           "checks": {c: v for c, v in args.get("checks", {}).items() if v},
                           "reasons": [args.get(f"{of}_reasons", []) for of in ("snapshot", "meaning", "tolerated")],
                           "writers": [w["op"] for w in args.get("writers", [])]}


def of_record(r):
    return {"pid": r["pid"], "tid": r["tid"], "dst": r["dst"], "class": r["class"], "window_ns": r["window_ns"], "kind": r["kind"],
            "checks": {c: v for c, v in r["checks"].items() if v},
            "reasons": [r[f"{of}_reasons"] for of in ("snapshot", "meaning", "tolerated")],
            "writers": [w["op"] for w in r["writers"] or []]}


def same(what, has, wanted):
    """The same list, or the first difference."""
    for one, other in zip(has, wanted):
        if one != other:
            yield f"{what}: the trace has {one}, the records {other}"
            return
    if len(has) != len(wanted):
        yield f"{what}: {len(has)} in the trace, {len(wanted)} in the records"


def as_recorded(trace, path):
    with open(path, encoding="utf-8") as file:
        records = [json.loads(line) for line in file if line.startswith('{"type":')]
    kinds = collections.defaultdict(list)
    for r in records:
        kinds[r.get("event")].append(r)
    yield from same("windows", [of_window(e) for e in trace if e["ph"] == "X"], [of_record(r) for r in kinds["window"]])
    failed = [e for e in trace if e["ph"] == "i" and e["cat"] == "failed_copy"]
    yield from same("failed copies", [as_record(e) | {"errno": e["name"], "place": e["args"]["place"], "cause": e["args"].get("cause")} for e in failed],
                    [{m: r[m] for m in ("pid", "tid", "dst", "errno", "place", "cause")} for r in kinds["failed_copy"]])
    yield from same("holds", [(b["pid"], b["tid"], b["args"]["op"], ns(e["ts"]) - ns(b["ts"]), e["args"]["refused"]) for b, e in holds(trace)],
                    [(r["pid"], r["tid"], r["op"], r["held_ns"], r["refused"]) for r in kinds["lowered"]])
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in trace if e["name"] == "thread_name"}
    yield from (f"named {names[r['pid'], r['tid']]}: {r}" for r in records if "tid" in r and names[r["pid"], r["tid"]] != r["comm"])
    lost = [r for r in records if r["type"] == "summary"][-1]["lost"]
    nr = lost["events"] + lost["copy_events"] + lost["changing_events"]
    if trace[-1]["args"]["lost"] != lost or trace[-1]["name"] != (f"end: {nr} events lost" if nr else "end"):
        yield f"the records lost {lost}: {trace[-1]}"


def as_the_load_did(trace, path):
    with open(path, encoding="utf-8") as file:
        windows = json.load(file)["windows"]
    has = collections.Counter(e["name"] for e in trace if e["ph"] == "X")
    wanted = {name: count for name, count in windows.items() if name != "total" and count}
    if has != wanted or not wanted:
        yield f"slices {dict(has)}, windows {wanted}"


def counted(trace, counts):
    has = collections.Counter(e["name"] for e in trace if e["ph"] in "Xib" and e["cat"] != "run")
    if counts and has != counts:
        yield f"{dict(has)}, not {counts}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("trace")
    parser.add_argument("counts", nargs="*")
    parser.add_argument("--records")
    parser.add_argument("--truth")
    parser.add_argument("--cut", action="store_true")
    arguments = parser.parse_intermixed_args()
    trace = read(arguments.trace, arguments.cut)
    wrong = [*form(trace), *order(trace), *ends(trace, arguments.cut), *counted(trace, {c.split("=")[0]: int(c.split("=")[1]) for c in arguments.counts})]
    if arguments.records:
        wrong += as_recorded(trace, arguments.records)
    if arguments.truth:
        wrong += as_the_load_did(trace, arguments.truth)
    for finding in wrong[:20]:
        print(finding)
    sys.exit(bool(wrong))


main()
