# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""What the log of `uffdload free` tells of the class of each window, and how the tool differs.

A copy's window lies between the begin and the end of its ioctl. With a handler (--handled) the
window was open for certain from `opened` to `resolved`. A write lies between its own stamps.
So a copy that no write overlaps has a quiet window, and a window that surely encloses a whole
write is not quiet: mm_lock_seq moved in it. Only times of the load are compared with each other.
"""
import errno
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass

# What a write to the destination can make of a window, and what it must make of one that encloses
# the whole write and whose page is in the written range.
TOUCHED = {"unrelated": set(),
           "benign": {"locked", "tolerated"},
           "replaced": {"locked", "replaced", "gone"}}
ENCLOSED = {"unrelated": set(), "benign": {"locked", "tolerated"}, "replaced": {"replaced", "gone"}}
MOVED = ("unrelated", "locked", "tolerated", "replaced", "gone")


@dataclass
class Copy:
    dst: int
    begin: int
    end: int
    opened: int
    resolved: int
    err: int
    allowed: frozenset = frozenset()


class Writer:
    """The writes of one thread, in order: they do not overlap each other."""

    def __init__(self):
        self.begins, self.ends, self.ranges = [], [], []

    def add(self, begin, end, span):
        self.begins.append(begin)
        self.ends.append(end)
        self.ranges.append(span)

    def overlapping(self, begin, end):
        i = bisect_left(self.ends, begin)
        while i < len(self.ends) and self.begins[i] <= end:
            yield self.ranges[i]
            i += 1

    def enclosed(self, begin, end):
        i = bisect_left(self.begins, begin)
        while i < len(self.ends) and self.ends[i] <= end:
            yield self.ranges[i]
            i += 1


class Log:
    """tells_locked: the kernel has locks of VMAs. Else a window that is `locked` is `unrelated`."""

    def __init__(self, path, tells_locked):
        self.mappings, self.others, self.what = [], [], "unrelated"
        self.tells_locked = tells_locked
        self.copies = defaultdict(list)
        self.writers = defaultdict(Writer)
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                self.add(*line.split())
        for copies in self.copies.values():
            for copy in copies:
                copy.allowed = self.allowed(copy)

    def add(self, kind, *words):
        if kind == "write":
            self.what = words[0]
            tid, begin, end, *span = map(int, words[1:])
            self.writers[tid].add(begin, end, span)
        elif kind == "copy":
            tid, *rest = map(int, words)
            self.copies[tid].append(Copy(*rest))
        elif kind == "mapping":
            self.mappings.append([int(word) for word in words])
        else:
            self.others.append([int(word) for word in words])

    def allowed(self, copy):
        """The classes that the tool can give the copy's window."""
        return frozenset("unrelated" if name == "locked" and not self.tells_locked else name
                         for name in self.classes(copy))

    def classes(self, copy):
        """Those that the copy's window can have."""
        start, stop = next(m for m in self.mappings if m[0] <= copy.dst < m[1])
        met = [r for w in self.writers.values() for r in w.overlapping(copy.begin, copy.end)]
        can = {"quiet"}
        if met or any(b <= copy.end and e >= copy.begin for b, e in self.others):
            can.add("unrelated")
        if any(start <= r[0] < stop for r in met):
            can |= TOUCHED[self.what]
        if not copy.opened:
            return can
        inside = [r for w in self.writers.values() for r in w.enclosed(copy.opened, copy.resolved)]
        if inside:
            can.discard("quiet")
        if any(first <= copy.dst < last for first, last in inside):
            can &= ENCLOSED[self.what]
        return can

    def every_copy(self):
        return [copy for copies in self.copies.values() for copy in copies]


def total_findings(tool, truth, log):
    """Each class has at least the windows that can only be of it, and at most those that can be."""
    windows, copies = tool["windows"], log.every_copy()
    # The tool may have missed these, and the load does not know whether those had a window.
    unsure = max(0, truth["windows"]["at_most"] - windows["total"]) + windows["undetermined"]
    for name in ("quiet",) + MOVED:
        least = sum(copy.allowed == {name} for copy in copies) - unsure
        most = sum(name in copy.allowed for copy in copies)
        if windows[name] is not None and not least <= windows[name] <= most:
            yield f"{name}: tool {windows[name]}, by the log {least} to {most}"


def match(events, copies):
    """Yield each event of a thread with its copy, or None. Copies whose event was lost are left out.

    Both are in order. A copy that failed with ENOENT found no VMA at the relock.
    """
    left = iter(copies)
    for event in events:
        yield event, next((c for c in left if c.dst == event["dst"] and
                           event["window_ns"] <= c.end - c.begin and
                           (c.err == errno.ENOENT) == (event["class"] == "gone")), None)


def comparable(events):
    """Those with a class and an address: both are unknown if the programs that tell them were skipped."""
    return [event for event in events if event["class"] != "undetermined" and event["dst"] is not None]


def event_findings(tool, events, log):
    """Each event has a copy, and a class that its window can have."""
    by_tid = defaultdict(list)
    for event in comparable(events):
        by_tid[event["tid"]].append(event)
    for tid, some in by_tid.items():
        for event, copy in match(some, log.copies[tid]):
            told = {key: event[key] for key in ("class", "tid", "dst", "window_ns")}
            if not copy:
                yield f"the log has no copy for {told}"
            elif event["class"] not in copy.allowed:
                yield f"by the log one of {sorted(copy.allowed)}, tool {told}, {copy}"
    if 2 * len(comparable(events)) < len(events):
        yield f"only {len(comparable(events))} of {len(events)} events have a class and an address"
    if len(events) + tool["lost"]["events"] != tool["windows"]["total"]:
        yield f"{len(events)} events, {tool['lost']['events']} lost, {tool['windows']['total']} windows"


# The tool reads the number of write sections once a jiffy.
JIFFY_NS = 10_000_000
# What the start or the end of a thread takes: mmap and mprotect of a stack, or its munmap.
SECTIONS_A_THREAD = 3


def section_findings(tool, log):
    """The rate of write sections is that of the log, where each write is two sections."""
    rate, copies = tool["per_mm"]["sections_per_s"], log.every_copy()
    if not log.tells_locked:
        if rate is not None:
            yield f"sections_per_s: {rate}, but this kernel does not count them"
        return
    if log.what != "unrelated":
        return
    first, last = min(copy.begin for copy in copies), max(copy.end for copy in copies)
    inner = min(copy.end for copy in copies), max(copy.begin for copy in copies) - JIFFY_NS
    threads = len(log.copies) + len(log.writers) + 1
    most = 2 * sum(len(list(w.overlapping(first, last))) for w in log.writers.values()) + threads * SECTIONS_A_THREAD
    least = 2 * sum(len(list(w.enclosed(*inner))) for w in log.writers.values())
    low, high = least * 1e9 / (last - first), most * 1e9 / (inner[1] - inner[0])
    if rate is None or not low <= rate <= high:
        yield f"sections_per_s: tool {rate}, by the log {low} to {high}"
    # A section is a part of a write.
    longest = max(end - begin for w in log.writers.values() for begin, end in zip(w.begins, w.ends))
    if tool["relock"] and not 0 < (tool["per_mm"]["hold_ns"] or 0) < longest:
        yield f"hold_ns: {tool['per_mm']['hold_ns']}, the longest write took {longest} ns"


def findings(tool, truth, events, path):
    """All differences, and a line that says how much the log knows."""
    log = Log(path, tool["windows"]["locked"] is not None)
    copies = log.every_copy()
    found = list(total_findings(tool, truth, log)) + list(section_findings(tool, log))
    if events:
        found += event_findings(tool, events, log)
    quiet = sum(copy.allowed == {"quiet"} for copy in copies)
    moved = sum("quiet" not in copy.allowed for copy in copies)
    return found, (f"of {len(copies)} copies {quiet} surely quiet, {moved} surely not; "
                   f"{len(comparable(events))} of {len(events)} windows compared one by one")
