#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: what tests/vm/compare finds by the log of `uffdload free`, on windows made by hand."""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../evidence"), os.path.join(HERE, "../vm")]
sys.dont_write_bytecode = True

import freelog  # noqa: E402 # pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402 # pylint: disable=wrong-import-position

PAGE = 4096
CLASSES = ("quiet", "unrelated", "locked", "tolerated", "replaced", "gone", "undetermined")
# One copier (thread 7) fills eight pages from address 2^20 on; copy N lasts from 1000 * N to
# 1000 * N + 900, and its window is open from + 200 to + 700 for certain.
COPIES = [f"copy 7 {(256 + n) * PAGE} {1000 * n} {1000 * n + 900} {1000 * n + 200} {1000 * n + 700} 0"
          for n in range(8)]
MAPPING = [f"mapping {256 * PAGE} {264 * PAGE}"]
# Two writers (8, 9): around copy 1, over the begin of copy 2, over the end of copy 3, inside copy 4.
# They are 8 sections between the begins of the copies 0 and 7: so many a second.
freelog.JIFFY_NS = 0
RATE = 8e9 / 7000
WRITES = ((8, 990, 1910), (8, 1950, 2300), (9, 3600, 3950), (9, 4200, 4700))


def log_file(what, first=0, last=0, others=()):
    """The name of a log with WRITES to these pages."""
    span = f"{(256 + first) * PAGE} {(256 + last) * PAGE}" if last else "0 0"
    lines = MAPPING + COPIES + [f"write {what} {tid} {b} {e} {span}" for tid, b, e in WRITES]
    name = os.path.join(WORK, "log")
    with open(name, "w", encoding="utf-8") as file:
        file.write("\n".join(lines + [f"other {b} {e}" for b, e in others]) + "\n")
    return name


def differs(classes, name, lost=0, locked=True, no_address=0, rate=RATE, hold=None):
    """The differences, when the tool gives the copies these classes (None: not seen)."""
    seen = [(n, c) for n, c in enumerate(classes) if c]
    windows = {c: sum(got == c for _, got in seen) for c in CLASSES}
    if not locked:
        windows["locked"] = None
    per_mm = {"sections_per_s": rate if locked else None, "hold_ns": hold}
    tool = {"windows": {"total": len(seen), **windows}, "lost": {"events": lost}, "per_mm": per_mm,
            "relock": {} if hold is None else {"total": 8}}
    events = [{"class": c, "tid": 7, "dst": None if n < no_address else (256 + n) * PAGE, "window_ns": 800}
              for n, c in seen]
    return freelog.findings(tool, {"windows": {"at_most": 8}}, events[lost:], name)[0]


def changed(classes, n, to):
    return classes[:n] + [to] + classes[n + 1:]


tap = Tap()
with tempfile.TemporaryDirectory() as WORK:
    right = ["quiet", "unrelated", "unrelated", "quiet", "unrelated", "quiet", "quiet", "quiet"]
    log = log_file("unrelated")
    tap.equal(differs(right, log), [], "right classes pass")
    tap.equal(differs(changed(right, 3, "unrelated"), log), [], "a window that a write overlaps can be either")
    for n in (1, 2):
        tap.equal(differs(changed(right, n, "quiet"), log), [], f"copy {n}: the write may have ended before")
    bad = differs(changed(right, 4, "quiet"), log)
    tap.check(any("'quiet'" in line for line in bad), "one window with a write in it is called quiet: found", *bad)
    bad = differs(changed(right, 5, "unrelated"), log)
    tap.check(any("'unrelated'" in line for line in bad), "one window without a write is called unrelated: found", *bad)
    tap.check(differs(changed(right, 4, "locked"), log), "locked, but no write was to the destination: found")
    tap.equal(differs(changed(right, 6, None), log), [], "a window that the tool missed")
    tap.equal(differs(changed(right, 6, "undetermined"), log), [], "a window that the tool could not tell")
    tap.equal(differs(right, log, no_address=1), [], "a window without an address")
    tap.check(differs(right, log, no_address=5), "most windows without an address: found")
    tap.check(differs(["quiet"] * 8, log, lost=8), "without events: more quiet ones than can be: found")
    tap.check(differs(["unrelated"] * 8, log, lost=8), "... and fewer than must be")
    tap.equal(differs(["unrelated"] * 8, log_file("unrelated", others=[(0, 8000)])), [],
              "while threads start, any window can be unrelated")

    tap.equal(differs(right, log, rate=8e9 / 7900), [], "the slowest rate of write sections that can be")
    for rate in (8e9 / 8000, None, 22e9 / 6100):
        tap.check(differs(right, log, rate=rate), f"{rate} write sections a second: found")
    tap.equal(differs(right, log, hold=919), [], "write sections shorter than a write")
    for hold in (0, 920):
        tap.check(differs(right, log, hold=hold), f"write sections of {hold} ns: found")

    log = log_file("benign", 0, 5)
    right = changed(right, 4, "locked")
    tap.equal(differs(right, log), [], "a write to the destination")
    tap.equal(differs(changed(right, 4, "tolerated"), log), [], "... that is seen as a change")
    tap.check(differs(changed(right, 4, "unrelated"), log), "... that is called unrelated: found")
    tap.equal(differs(changed(right, 4, "unrelated"), log, locked=False), [], "... which it is without locks of VMAs")
    log = log_file("benign", 5, 8)
    tap.equal(differs(changed(right, 4, "unrelated"), log), [], "a write to other pages of it may be")
    log = log_file("replaced", 0, 8)
    tap.equal(differs(changed(right, 4, "replaced"), log), [], "a destination that is replaced")
    tap.check(differs(right, log), "... that is called locked: found")
tap.done()
