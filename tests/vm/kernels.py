#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Write the tables of docs/reference/kernels.md from what tests/vm/matrix kept.

Usage: kernels.py PAGE DIR SERIES...
Exits 1 when a kernel that was available does not agree with the loads.
"""
import datetime
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
import page  # noqa: E402

EXACT = ("exact-pid", "exact-all", "exact-command")
COMPARED = EXACT + ("random-all", "random-pid")
FREE = ("free-unrelated", "free-benign", "free-replaced")


def last_record(path, kind):
    found = None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record.get("type") == kind:
                found = record
    return found


def load(directory, name):
    return (last_record(f"{directory}/{name}.json", "summary"), last_record(f"{directory}/{name}.truth", "truth"))


def tap(path):
    """(passed, failed descriptions, skipped)"""
    with open(path, encoding="utf-8") as lines:
        text = lines.read().splitlines()
    return ([t for t in text if t.startswith("ok ")], [t for t in text if t.startswith("not ok")],
            any("# SKIP" in t for t in text))


def quantile(buckets, q):
    """The middle of the bucket that holds it, as the tool prints it."""
    total = sum(b["count"] for b in buckets)
    seen = 0
    for b in buckets:
        seen += b["count"]
        if seen >= q * total:
            return (b["min"] + b["max"]) / 2
    return 0


def microseconds(ns):
    """With three digits: a bucket has no more."""
    return f"{float(f'{ns / 1000:.3g}'):,.10g}"


def begin_early(summaries):
    """How early the begins were, in windows with both bounds. None where it was not measured."""
    windows = moved = 0
    merged = {}
    for s in summaries:
        if s["begin_early"] is None:
            return None
        windows += s["begin_early"]["windows"]
        moved += s["begin_early"]["seq_moved"]
        for b in s["hist_ns"]["begin_early"]:
            merged.setdefault(b["min"], dict(b, count=0))["count"] += b["count"]
    buckets = [merged[k] for k in sorted(merged)]
    return [windows, *(microseconds(quantile(buckets, q)) for q in (0.5, 0.99, 1)), moved] if windows else None


class Kernel:
    """One series: what its runs recorded."""

    def __init__(self, directory, series):
        self.series = series
        _, self.failed, skipped = tap(f"{directory}/{series}.tap")
        self.missing = skipped and not self.failed
        self.rights, failed, _ = tap(f"{directory}/{series}.rights")
        self.all_rights = len(self.rights) + len(failed)
        self.failed += failed or ([] if self.rights else ["tests/vm/rights did not run"])
        if self.missing:
            return
        kept = f"{directory}/{series}"
        self.runs = {name: load(kept, name) for name in COMPARED + FREE}
        summary, truth = self.runs["exact-all"]
        self.version = summary["host"]["kernel"]
        self.plan = summary["plan"]
        self.scenarios = len(truth["scenarios"])
        self.skipped = truth["skipped"]
        self.wrong = any(name in line for line in self.failed for name in EXACT)

    def windows(self, names):
        return sum(self.runs[name][0]["windows"]["total"] for name in names)

    def skipped_runs(self):
        return sum(self.runs[name][0]["lost"]["recursion"] for name in FREE)

    def plan_row(self):
        if self.missing:
            return [self.series, "not available", *["-"] * 4]
        begin = "exact" if self.plan["exact"] else "early"
        return [self.series, self.version, f"`{self.plan['name']}`", begin, self.plan["self_test"], self.plan["kernel_check"]]

    def agreement_row(self):
        right = 0 if self.wrong else self.scenarios
        return [self.series, f"{right} / {self.scenarios}", self.windows(COMPARED), self.windows(FREE), self.skipped_runs(),
                f"{len(self.rights)} / {self.all_rights}"]

    def early_rows(self):
        for loads, names, shown in (("free", FREE, not self.plan["exact"]), ("scenarios", COMPARED, True)):
            early = begin_early([self.runs[name][0] for name in names])
            if shown and early:
                yield [self.series, loads, *early]

    def hooks(self):
        return {f"`{h['name']}`" for h in self.plan["hooks"] if h["attached"]}

    def lacking(self):
        """Functions that its BTF lacks. A hook can have several forms, and one of them fits."""
        return {f"`{h['name']}`" for h in self.plan["hooks"]} - self.hooks()


def by_series(kernels, of):
    """A row for each item that of(kernel) yields, with its series."""
    found = {}
    for k in kernels:
        for thing in of(k):
            found.setdefault(thing, []).append(k.series)
    return [[*(thing if isinstance(thing, tuple) else [thing]), "all" if len(series) == len(kernels) else ", ".join(series)]
            for thing, series in sorted(found.items())]


def parts(kernels):
    """The generated parts of the page, by their names."""
    here = [k for k in kernels if not k.missing]
    qemu = os.popen("qemu-system-x86_64 --version").readline().split()[3].split("(")[0]
    return {
        "runs": page.table(["date", "QEMU"], [[datetime.date.today(), qemu]], words=2),
        "plans": page.table(["series", "version", "plan", "begin", "self-test", "kernel's check"],
                            [k.plan_row() for k in kernels], words=6),
        "agreement": page.table(["series", "scenarios right", "windows compared", "free windows", "skipped runs", "rights checks"],
                                [k.agreement_row() for k in here]),
        "failed": page.bullets(f"{k.series}: {line}" for k in here for line in k.failed),
        "begin early": page.table(["series", "loads", "windows", "p50, us", "p99, us", "max, us", "`mm_lock_seq` moved"],
                                  [row for k in here for row in k.early_rows()], words=2),
        "hooks": page.table(["function or tracepoint", "series"], by_series(here, Kernel.hooks), words=2),
        "lacking": page.table(["function", "series"], by_series(here, Kernel.lacking), words=2),
        "unmeasured": page.table(["not measured", "series"], by_series(here, lambda k: k.plan["unmeasured"]), words=2),
        "skipped": page.table(["scenario", "why", "series"],
                              by_series(here, lambda k: [(s["name"], s["reason"]) for s in k.skipped]), words=3),
    }


def main():
    path, directory, series = sys.argv[1], sys.argv[2], sys.argv[3:]
    kernels = [Kernel(directory, s) for s in series]
    page.update(path, parts(kernels))
    sys.exit(any(not k.missing and k.failed for k in kernels))


main()
