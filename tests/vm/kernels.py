#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Write docs/reference/kernels.md from what tests/vm/matrix kept.

Usage: kernels.py DIR SERIES...
       kernels.py --permm FILE   only bring the last section of FILE, which is from docs/evidence/permm.md, up to date
Exits 1 when a kernel that was to be had does not agree with the loads.
"""
import datetime
import json
import os
import sys

EXACT = ("exact-pid", "exact-all", "exact-command")
COMPARED = EXACT + ("random-all", "random-pid")
FREE = ("free-unrelated", "free-benign", "free-replaced")

HEAD = """# Kernels

Written by `make check-kernels` (tests/vm/matrix) on {date}; do not edit. Stock Debian cloud kernels, x86-64, in QEMU {qemu} without
KVM, two emulated CPUs. What is said of time is emulated time; counts and shares are exact.

Each kernel runs `uffdload exact` (named windows, each five times, watched by `-p`, by `-a` and as COMMAND) and `uffdload
random` (windows that a model of the address space classifies) under the tool, and every count of the summary must be the load's. Destinations are
anonymous, shmem and hugetlb, handlers in the same process and in another one. Then three loads run freely, and what was
counted and what the tool says it missed must add up to what the load did. The plan was chosen by the tool, from BTF and its self-test.
Another boot is for the rights (tests/vm/rights): each capability dropped, that none is kept, and whose COMMAND and the files are.

"""

AFTER = """
- **plan**: how the windows are seen ([internals.md](internals.md)). *begin early* is the plan's error: the begin is seen before the lock is dropped.
  It was measured where a second bound is seen, as the time between the two and by whether `mm_lock_seq` moved in it; only such a window can
  have got the wrong class, `unrelated` for `quiet`.
- **check**: what this kernel compares after the retry, as its answers in the self-test show.
- **scenarios**: right of all that the kernel can run. A scenario is right when the sums over all scenarios are; else all count as wrong.
- **windows**: compared with the truth of the loads, all classes, reasons and checks; the free ones are not among them.
- **rights**: checks passed of tests/vm/rights.
- **free**: windows of the loads that run freely, and how many runs of our programs the kernel skipped in them (it says so itself).

A kernel that has the per-MM or the per-VMA check, and three plans beside each other on one kernel: [permm.md](permm.md).
"""


PERMM = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../docs/evidence/permm.md")
PERMM_TITLE = "## The verdicts, on a kernel that has the other check"


def permm_section():
    """What `make check-permm` found: the totals of each check, and where the plans differ."""
    with open(PERMM, encoding="utf-8") as lines:
        text = lines.read().splitlines()
    head = next(i for i, line in enumerate(text) if line.startswith("| check and load"))
    yield PERMM_TITLE
    yield ""
    yield "From [permm.md](permm.md), which `make check-permm` writes: a 7.3 that has the check, and each window's verdict against its answer."
    yield ""
    yield from text[head:head + 2]
    yield from (line for line in text if line.startswith("| **`"))
    yield ""
    yield "The same seeded scenarios under the plans `retry_fn`, `retry_state` and `interval` there:"
    yield ""
    first = next(i for i, line in enumerate(text) if line.startswith("Differences in calls"))
    end = next(i for i, line in enumerate(text) if i > first and line.startswith("What is wrong"))
    yield from text[first:end]


def refresh_permm(path):
    """Put the section anew at the end of the file, if it is there."""
    with open(path, encoding="utf-8") as lines:
        kept = lines.read().split(PERMM_TITLE)[0]
    with open(path, "w", encoding="utf-8") as out:
        out.write(kept + "\n".join(permm_section()).rstrip() + "\n")


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


def duration(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def begin_early(summaries):
    """How early begins were, of all windows of these runs of which both bounds were seen."""
    windows = moved = 0
    merged = {}
    for s in summaries:
        if s["begin_early"] is None:
            return "not measured"
        windows += s["begin_early"]["windows"]
        moved += s["begin_early"]["seq_moved"]
        for b in s["hist_ns"]["begin_early"]:
            merged.setdefault(b["min"], dict(b, count=0))["count"] += b["count"]
    buckets = [merged[k] for k in sorted(merged)]
    if not windows:
        return "no window"
    return (f"p50 {duration(quantile(buckets, 0.5))}, p99 {duration(quantile(buckets, 0.99))}, max "
            f"{duration(quantile(buckets, 1))} of {windows} windows; `mm_lock_seq` moved in {moved}")


class Kernel:
    """What one series' runs say."""

    def __init__(self, directory, series):
        self.series = series
        self.here = os.path.exists(f"{directory}/{series}.tap")
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

    def row(self):
        if self.missing:
            return f"| {self.series} | not to be had | | | | | | | |"
        right = 0 if self.wrong else self.scenarios
        exact = "exact" if self.plan["exact"] else "begin early"
        return (f"| {self.series} | {self.version} | `{self.plan['name']}`, {exact} | {self.plan['self_test']} | "
                f"{self.plan['kernel_check']} | {right} / {self.scenarios} | {self.windows(COMPARED)} | "
                f"{self.windows(FREE)}, {self.skipped_runs()} skipped | {len(self.rights)} / {self.all_rights} |")

    def details(self):
        if self.missing:
            return
        yield f"### {self.series}: {self.version}"
        yield ""
        early = [self.runs[name][0] for name in FREE]
        if not self.plan["exact"]:
            yield f"- Begin early, anonymous destinations, free loads: {begin_early(early)}."
        yield f"- Begin early, scenarios: {begin_early([self.runs[n][0] for n in COMPARED])}."
        hooks = sorted({h["name"] for h in self.plan["hooks"] if h["attached"]})
        yield f"- Hooks: {', '.join('`' + name + '`' for name in hooks)}."
        # Of some there are several forms, and one fits.
        lacking = sorted({h["name"] for h in self.plan["hooks"]} - set(hooks))
        if lacking:
            yield f"- Not in its BTF, and done without: {', '.join('`' + n + '`' for n in lacking)}."
        yield f"- Not measurable: {'; '.join(self.plan['unmeasured']) or 'nothing'}."
        if self.skipped:
            yield f"- Scenarios that it cannot run: {'; '.join(s['name'] + ' (' + s['reason'] + ')' for s in self.skipped)}."
        for line in self.failed:
            yield f"- **Failed**: {line}"
        yield ""


def main():
    directory, series = sys.argv[1], sys.argv[2:]
    if directory == "--permm":
        refresh_permm(series[0])
        return
    kernels = [Kernel(directory, s) for s in series]
    qemu = os.popen("qemu-system-x86_64 --version").readline().split()[3].split("(")[0]
    print(HEAD.format(date=datetime.date.today(), qemu=qemu), end="")
    print("| series | version | plan | self-test | check | scenarios | windows | free | rights |\n|---|---|---|---|---|---|---|---|---|")
    for k in kernels:
        print(k.row())
    print(AFTER)
    for k in kernels:
        for line in k.details():
            print(line)
    print("\n".join(permm_section()).rstrip())
    sys.exit(any(not k.missing and k.failed for k in kernels))


main()
