#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: the page and the figure that tools/evidence/native_times.py writes, and what their texts claim."""
import copy
import math

from tap import Tap

import native_times

tap = Tap()
records = native_times.read()
tap.check(not native_times.differs(native_times.parts(records)), "native.md and its figure are those of docs/evidence/data")
slower = copy.deepcopy(records)
for record in native_times.of(slower, "window", source="anon"):
    record["dropped_ns"]["mean"] *= 2
tap.check(native_times.differs(native_times.parts(slower)), "a time that differs is found")

# Two runs of 1,000 and 3,000 copies: 10 and 60 overlap a call, 1 and 6 enclose one.
SAME = [{"calls": 1000, "overlapping": 10, "enclosing": 1}, {"calls": 3000, "overlapping": 60, "enclosing": 6}]
tap.equal(native_times.bounds_of(SAME), ([1000, 2000], [10000, 20000]), "the bounds of each run, in a million copies")
tap.equal(native_times.bounds_of([{**SAME[0], "enclosing": None}])[0], None, "a lower bound that is not known")
RUNS = [{"x": 0.01, "modelled": 0.01, "windows": 1000, "counted": 5}, {"x": 0.03, "modelled": 0.03, "windows": 3000, "counted": 75}]
tap.equal([round(value, 6) for value in native_times.cell_of(RUNS)], [0.02, 20000, 20000],
          "a cell: the mean of the models, the count over all windows")
tap.equal([native_times.is_within(*cell) for cell in ((67, 100), (150, 100), (66, 100), (151, 100), (1, 0))],
          [True, True, False, False, False], "the rule: 0.67 to 1.5 times the count")

# What the title and the prose say.
for disk, most in ((False, 0.0022), (True, 0.0056)):
    runs = [r for r in native_times.of(records, "overlap", asked_per_s=100) if (r["source"] == native_times.DISK) == disk]
    tap.check(runs and all(r["overlapping"] <= most * r["calls"] for r in runs), f"at most {100 * most:.2f} % beside 100 calls a second")
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
