#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: the page and the figure that tools/evidence/native_times.py writes, and what their texts claim."""
import copy
import math
import re

from tap import Tap

import native_times

tap = Tap()
records = native_times.read()
tap.check(not native_times.differs(native_times.parts(records)), "native.md and its figure are those of docs/evidence/data")
slower = copy.deepcopy(records)
for record in native_times.of(slower, "window", source="anon"):
    record["dropped_ns"]["mean"] *= 2
tap.check(native_times.differs(native_times.parts(slower)), "a time that differs is found")

# Two runs of 1,000 and 3,000 copies: 10 and 60 overlap a call, 1 and 6 enclose one. 1,000 calls a second and a copy
# and a call of 5 microseconds together: a copy begun at random meets 0.005 of a call.
TIMES = {"write_calls_per_s": 1000, "copy_ns": {"mean": 2000}, "write_call_ns": {"mean": 3000}}
SAME = [{"calls": 1000, "overlapping": 10, "enclosing": 1, **TIMES}, {"calls": 3000, "overlapping": 60, "enclosing": 6, **TIMES}]
tap.equal(([round(1e6 * native_times.counted(r)) for r in SAME], native_times.lower_of(SAME)), ([10000, 20000], [1000, 2000]),
          "the bounds of each run, in a million copies")
tap.equal(native_times.lower_of([{**SAME[0], "enclosing": None}]), None, "a lower bound that is not known")
FASTER = [{**SAME[0], "write_calls_per_s": rate} for rate in (1000, 4000, 300000)]
tap.equal([native_times.at_random(r) for r in FASTER], [0.005, 0.02, 1], "at random: calls that a copy meets on average, at most 1")
tap.equal([native_times.upper(r) for r in FASTER], [0.01, 0.02, 1], "at most: the larger one")
RUNS = [{"x": 0.01, "modelled": 0.01, "windows": 1000, "counted": 5}, {"x": 0.03, "modelled": 0.03, "windows": 3000, "counted": 75}]
tap.equal([round(value, 6) for value in native_times.cell_of(RUNS)], [0.02, 20000, 20000],
          "a cell: the mean of the models, the count over all windows")
tap.equal([native_times.is_within(*cell) for cell in ((67, 100), (150, 100), (66, 100), (151, 100), (1, 0))],
          [True, True, False, False, False], "the rule: 0.67 to 1.5 times the count")

# The title bounds each run, by its count and for random moments.
said = [float(word) / 100 for word in re.findall(r"([0-9.]+) %", native_times.title(records))]
for disk, most in zip((False, True), said):
    runs = [r for r in native_times.of(records, "overlap", asked_per_s=100) if (r["source"] == native_times.DISK) == disk]
    tap.check(runs and all(r["overlapping"] <= most * r["calls"] and
                           r["write_calls_per_s"] * (r["copy_ns"]["mean"] + r["write_call_ns"]["mean"]) <= most * 1e9 for r in runs),
              f"at most {100 * most:.2f} % beside 100 calls a second")
    tap.check(any(native_times.upper(r) > 0.9 * most for r in runs), "... and hardly less")
tap.equal([native_times.bound(*of) for of in ((1.2453, math.ceil), (61.585, math.floor), (0.0267, math.floor), (100, math.ceil), (0, math.floor))],
          ["1.3 %", "61 %", "0.026 %", "100 %", "0 %"], "bounds are rounded outward")
busy = [name for name, rates in native_times.program_rates().items() if max(rates) > 100]
tap.equal(sorted(busy), ["chromium", "qemu", "stress-ng"], "only these make more than 100 write sections a second")
text = native_times.FIGURE.read_text(encoding="utf-8")
drawn = [name for name, rates in native_times.program_rates().items() if max(rates)]
tap.equal([name for name in drawn if f"<!-- {name} -->" not in text], [], "the figure has each program that makes write sections")
tap.check(len(drawn) >= 8, "these are at least eight", *drawn)
tap.check(all(held == runs for _, runs, _, held, *_ in native_times.attempt_rows()), "each count in guests lies between the bounds")
tap.done()
