#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Expected results of the reproducers on a kernel; the tables of docs/evidence/merged-check.md.

Usage: repro.py commands                 a line each
       repro.py alone|tool DIR COMMAND   compare what tests/vm/repro brought back in DIR; prints each difference
       repro.py runs PAGE DIR...         write the tables of these kernels' runs into PAGE
"""
import datetime
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools"))
import page  # noqa: E402

SNAPSHOT, MEANING = "snapshot_reasons", "meaning_reasons"
CHECKS = ("ops_pointer", "snapshot", "address", "per_vma_seq", "per_mm_seq")


@dataclass
class Case:
    """One reproducer: its window, and its output if the kernel passes or fails the copy."""
    kind: str
    cls: str
    ok: dict             # of the lines it prints, by the word before the colon
    eagain: dict = None  # the same where the kernel's check fails the copy; None: none does
    right: str = None    # what a right kernel returns; None: an open question
    snapshot: list = field(default_factory=list)
    meaning: list = field(default_factory=list)
    more_calls: dict = field(default_factory=dict)  # beside the copy, the source's, the retry

    def says(self, check):
        """Does this check fail the copy, wherever it is made?"""
        if check == "ops_pointer":
            return "ops" in self.snapshot
        if check == "snapshot":
            return bool(self.snapshot)
        if check == "address":
            return self.snapshot not in ([], ["pgoff"]) or "offset" in self.meaning
        return check in ("per_vma_seq", "per_mm_seq")

    def compared(self, check):
        """Does the kernel with this check make it for this destination?"""
        return check != "none" and (self.kind != "hugetlb" or check == "address")

    def refused(self, check):
        return self.compared(check) and self.says(check)

    def result(self, check):
        return "EAGAIN" if self.refused(check) else "ok"

    def lines(self, check):
        return {"UFFDIO_COPY": self.result(check), **(self.eagain if self.refused(check) else self.ok)}

    def status(self, check):
        return int(self.right not in (None, self.result(check)))

    def last_line(self, check):
        if self.right is None:
            return "seen"
        return "The bug is there." if self.status(check) else "The kernel is right."


AGAIN = {"UFFDIO_COPY again": "ok"}
IN_PLACE = {"page 4 of the file": "the source"}
OTHER = {"the file": "empty", "the other file": "the source"}
NEITHER = {"the file": "empty", "the other file": "empty"}

CASES = {
    "split-front": Case("shmem", "false_alarm", IN_PLACE, {**AGAIN, **IN_PLACE}, "ok", snapshot=["pgoff"]),
    "shifted-file": Case("shmem", "hidden", {"pages of the file (S": "the source): ..S....."},
                         {"pages of the file (S": "the source): ........"}, "EAGAIN", meaning=["offset"]),
    "other-file hugetlb": Case("hugetlb", "real", OTHER, NEITHER, "EAGAIN", snapshot=["file", "inode"], meaning=["inode"]),
    "anon-to-shmem": Case("anon", "real", IN_PLACE, {"page 4 of the file": "empty"}, "EAGAIN",
                          snapshot=["shared", "ops", "file"], meaning=["shared", "ops", "inode"]),
    "other-file shmem": Case("shmem", "real", OTHER, NEITHER, "EAGAIN", snapshot=["file", "inode"], meaning=["inode"]),
    "opened-again": Case("shmem", "false_alarm", IN_PLACE, {**AGAIN, **IN_PLACE}, snapshot=["file"]),
    "other-uffd": Case("anon", "hidden",
                       {"the thread, a second after": "asleep", "UFFDIO_COPY by the other userfaultfd": "EEXIST",
                        "the thread, a second after that": "asleep",
                        "the thread, after UFFDIO_WAKE by the other": "found the source",
                        "UFFDIO_COPY through the old one to the next page, without a window": "ok"},
                       meaning=["ctx"], more_calls={"EEXIST": 1, "ok": 1}),
    "replaced": Case("anon", "replaced", {"page 0 now": "empty: the new mapping", "page 4 now": "the source"}),
}


def text(directory, name):
    try:
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        sys.exit(f"the guest left no {name}")


def kept(directory, command, what):
    return text(directory, f"{command.replace(' ', '-')}.{what}")


def printed(output):
    return dict(line.split(": ", 1) for line in output.splitlines() if ": " in line)


def summary(directory, command):
    records = [json.loads(line) for line in kept(directory, command, "json").splitlines()]
    return [r for r in records if r["type"] == "summary"][-1]


def unequal(what, got, want):
    return [] if got == want else [f"{what}: {got!r}, must be {want!r}"]


def program_findings(directory, command, run=""):
    """Its output and exit status. run is "" for alone, "tool." for under the tool."""
    case, check = CASES[command], text(directory, "check")
    output = kept(directory, command, run + "out")
    lines = printed(output)
    found = unequal("exit status", kept(directory, command, run + "status"), str(case.status(check)))
    for key, want in case.lines(check).items():
        found += unequal(key, lines.get(key), want)
    return found + unequal("last line", output.splitlines()[-1].split(":")[0], case.last_line(check))


def verdicts(case, check, locks):
    """eagain, real, spurious and missed of each check; None where the kernel cannot give it."""
    really = case.cls in ("real", "hidden")

    def of(eagain):
        return {"eagain": int(eagain), "real": int(eagain and really), "spurious": int(eagain and not really),
                "missed": int(really and not eagain)}

    shadows = {name: of(case.says(name)) if locks != "mmap" or not name.endswith("_seq") else None for name in CHECKS}
    return {**shadows, "kernel": of(case.refused(check))}


def exactly(names, count=1):
    return dict.fromkeys(names, count)


def counted(counts):
    return {k: v for k, v in counts.items() if v}


def tool_findings(directory, command):
    case, check, locks = CASES[command], text(directory, "check"), text(directory, "locks")
    got = summary(directory, command)
    # The source's page, the copy itself, and once more after a needless EAGAIN.
    returned = Counter(case.more_calls)
    returned.update(["ok", case.result(check)] + ["ok"] * ("UFFDIO_COPY again" in case.lines(check)))
    found = program_findings(directory, command, "tool.")
    found += unequal("returned", counted(got["copy"]["returned"]), dict(returned))
    found += unequal("windows", counted(got["windows"]), {"total": 1, case.cls: 1})
    by_kind = {k: counted(v) for k, v in got["by_kind"].items() if counted(v)}
    found += unequal("by_kind", by_kind, {case.kind: {case.cls: 1}})
    found += unequal(SNAPSHOT, counted(got[SNAPSHOT]), exactly(case.snapshot))
    found += unequal(MEANING, counted(got[MEANING]), exactly(case.meaning))
    for name, want in verdicts(case, check, locks).items():
        have = got["checks"][name]
        found += unequal(name, have and {k: have[k] for k in want or have}, want)
    found += unequal("kernel.absent", got["checks"]["kernel"]["absent"], int(not case.compared(check)))
    found += unequal("plan.kernel_check", got["plan"]["kernel_check"], check)
    found += unequal("self-test", got["plan"]["self_test"], "passed")
    found += unequal("anomalies", got["anomalies"], 0)
    lost = dict(got["lost"], **got["lost"]["skipped"])
    del lost["skipped"]
    return found + unequal("lost", counted(lost), {})


# --- The runs, for docs/evidence/merged-check.md --------------------------------------------------


VIEW = ("class", "snapshot differs in", "meaning differs in") + CHECKS


def outcome(directory, command):
    """What UFFDIO_COPY returned; bold where that is the bug."""
    result = printed(kept(directory, command, "out"))["UFFDIO_COPY"]
    return f"**{result}**" if kept(directory, command, "status") == "1" else result


def says(counts):
    if counts is None:
        return "null"
    return "EAGAIN" if counts["eagain"] else "pass"


def view(directory, command):
    """The tool's view as the cells of VIEW, from its JSON."""
    got = summary(directory, command)
    cls = ", ".join(k for k in counted(got["windows"]) if k != "total")
    reasons = [", ".join(counted(got[key])) or "-" for key in (SNAPSHOT, MEANING)]
    return [f"`{cls}`"] + reasons + [says(got["checks"][check]) for check in CHECKS]


def elsewhere(views):
    """Kernel, cell, value and cases where views ({kernel: {case: cells}}) differ from the newest's."""
    newest = list(views.values())[-1]
    found = {}
    for kernel, cells in views.items():
        for case in CASES:
            for what, there, here in zip(VIEW, cells[case], newest[case]):
                if there != here:
                    found.setdefault((kernel, what, there), []).append(f"`{case}`")
    return [[*key, "all" if len(cases) == len(CASES) else ", ".join(cases)] for key, cases in found.items()]


def output(directory):
    for command in CASES:
        yield f"    $ {command}"
        yield from (f"    {line}" for line in kept(directory, command, "out").splitlines())
        yield ""


def runs(directories):
    """The generated parts of the page, by their names; the last directory is the newest kernel's."""
    releases = [text(d, "release") for d in directories]
    short = [r.split("+")[0].split("-")[0] for r in releases]
    days = [datetime.date.fromtimestamp(summary(d, next(iter(CASES)))["time"]) for d in directories]
    views = {name: {case: view(d, case) for case in CASES} for name, d in zip(short, directories)}
    newest = views[short[-1]]
    return {
        "runs": page.table(["kernel", "date"], zip(releases, days), words=2),
        "returned": page.table(["case", *short], [[f"`{case}`", *(outcome(d, case) for d in directories)] for case in CASES],
                               words=1 + len(short)),
        "view": page.table(["case", *VIEW[:3]], [[f"`{case}`", *newest[case][:3]] for case in CASES], words=4),
        "verdicts": page.table(["case", *(f"`{check}`" for check in CHECKS)],
                               [[f"`{case}`", *newest[case][3:]] for case in CASES], words=1 + len(CHECKS)),
        "elsewhere": page.table(["kernel", "what", "value", "cases"], elsewhere(views), words=4),
        "output": "\n".join(output(directories[-1])).rstrip(),
    }


def main():
    verb, args = sys.argv[1], sys.argv[2:]
    if verb == "commands":
        print("\n".join(CASES))
        return 0
    if verb == "runs":
        page.update(args[0], runs(args[1:]))
        return 0
    found = (program_findings if verb == "alone" else tool_findings)(*args)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main())
