# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The recorded runs as the tables ask for them: chosen, grouped, and their counters added up."""
import glob
import os

import records
import stats
from records import groups, main_kernel

REACHED_RATE = 0.9  # of what was asked: less means that something else used the processors
OWN_WRITES = "device", "remaps", "allocations", "forks"  # the counts of a load's result that write


class Cells(list):
    """Runs of kind cell, and the sums of their counters."""

    def where(self, **wanted):
        """The cells with this kernel=, check=, load=, what= or rate=; a tuple means one of them."""
        def fits(run):
            has = {**run.load, "kernel": run.kernel, "load": run.load["name"]}
            return all(has[k] in (v if isinstance(v, tuple) else (v,)) for k, v in wanted.items())
        return Cells(run for run in self if fits(run))

    def by(self, key):
        return {value: Cells(runs) for value, runs in groups(self, key).items()}

    def by_load(self):
        return self.by(lambda run: run.load["name"])

    def by_what(self):
        return self.by(lambda run: run.load["what"])

    def by_writer(self):
        """{(load, its writer): Cells}, the seeds of one together."""
        return self.by(lambda run: (run.load["name"], writer(run)))

    def count(self, path):
        """The sum of a member of the summaries; None when it is null in all."""
        found = [records.count(run.raw["summary"], path, run.where, None) for run in self]
        found = [n for n in found if n is not None]
        return sum(found) if found else None

    def classes(self, *names):
        return sum(run.windows[c] for run in self for c in names)

    def returned(self, name):
        return sum(run.raw["summary"]["copy"]["returned"].get(name, 0) for run in self)

    @property
    def total(self):
        return sum(run.total for run in self)

    @property
    def reached(self):
        """Windows that reached a check."""
        return sum(run.reached for run in self)

    @property
    def locked(self):
        """Windows that reached a check and in which this VMA was write-locked."""
        return self.classes(*records.LOCKED)

    def needless(self, check):
        """Windows that the check would fail needlessly; None where it cannot be evaluated."""
        found = [run.spurious[check] for run in self if run.spurious[check] is not None]
        return sum(found) if found else None

    def share(self, check):
        """The same as the shares of the runs, as text."""
        return self.spread(lambda run: run.spurious[check], lambda run: run.reached)

    def spread(self, part, whole):
        """The least and the most share of single runs, as text."""
        return stats.spread([(part(run), whole(run)) for run in self])

    def durations(self, classes=records.REACHED):
        return stats.merge(run.durations[c] for run in self for c in classes)

    def histogram(self, path):
        return stats.merge(records.buckets(r.raw["summary"], path, r.where) for r in self)


class Data:
    """The cells, chosen by kernel and by writer, and the programs of others."""

    def __init__(self, cells, programs):
        loads = list(records.groups(cells, lambda run: run.load["name"]))
        kept = (run for run in cells if not too_slow(run))
        self.all = Cells(sorted(kept, key=lambda run: (loads.index(run.load["name"]), run.rate)))
        self.left_out = len(cells) - len(self.all)
        kernel = main_kernel(self.all)
        self.main = self.all.where(kernel=kernel)
        self.arms = self.all.where(kernel="permm").by(lambda run: run.load["check"])
        self.own = self.main.where(what="own")
        self.swept = self.main.where(what=("none", "unrelated"))
        self.elsewhere = self.main.where(what="unrelated")
        self.untouched = self.main.where(what=("unrelated", "own"))
        self.touched = self.main.where(what=("benign", "replace"))
        found = map(records.read_program, sorted(glob.glob(os.path.join(programs, "*.json"))))
        self.programs = [run for run in found if run]


# --- of one run -----------------------------------------------------------------------------------

def writer(run):
    """The writers, and the requested rate."""
    what, rate = run.load["what"], run.load["rate"]
    return "no writer" if what == "none" else "its own" if what == "own" else f"{what}, {rate}/s"


def too_slow(run):
    """Whether writers elsewhere missed a rate that they reach on an idle host."""
    asked = run.load["rate"]
    return (run.load["what"] == "unrelated" and asked.isdigit() and int(asked) <= 1000
            and run.rate < REACHED_RATE * int(asked))


def elapsed(run):
    """Seconds that the load ran."""
    ns = records.number(run.result, "elapsed_ns", run.where, 0)
    return ns / 1e9 or records.number(run.result, "elapsed_s", run.where)


def writes(run):
    """Writes a second, of the requested writers or of the load's own threads."""
    if run.load["what"] != "own":
        return run.rate
    done = [records.count(run.result, f"counts.{c}", run.where, 0) for c in OWN_WRITES]
    return sum(done) / elapsed(run)


def pages_per_s(run):
    return records.number(run.raw["summary"], "copy.pages", run.where) / elapsed(run)


def p99(run):
    """The latency of a first touch, in ns; None of a load that does not measure it."""
    return records.number(run.result, "latency_ns.p99", run.where, None)


def longest(run):
    """The most failures in a row of one page."""
    return records.count(run.raw["summary"], "chains.longest", run.where, 0)
