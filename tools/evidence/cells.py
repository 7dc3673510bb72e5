# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The cells of a sweep: loads, writer rates, kernels, and the command of each."""
import dataclasses

RATES = ("0", "10", "100", "1000", "10000", "max")
MAIN_RATES = ("100", "1000", "max")
FOUR = (1, 2, 3, 4)  # seeds; fewer runs differ all in one direction by chance in over 5 %
OWN = "own"  # a rate: the load's own writes

# Loads whose only writers are those of --writer-rate.
SWEPT = {
    "free": "free --copiers 2 --writers 1",
    "restore-inproc swept":
        "restore-inproc --source map --prefetch 0 --remap-rate 0 --device-rate 0",
    "gc swept": "gc --alloc-rate 0",
    "torture": "torture",
    "restore cold swept": "restore --cache cold --dir /mnt --device-rate 0",
    "swap swept": "swap --device-rate 0",
}
# Loads that resemble programs, with the threads of such a program. /mnt is the guest's disk.
LIKE_PROGRAMS = {
    "restore": "restore",
    "restore cold": "restore --cache cold --dir /mnt",
    "restore balloon": "restore --balloon-rate 10",
    "restore-inproc": "restore-inproc",
    "restore-inproc map": "restore-inproc --source map",
    "gc": "gc",
    "swap": "swap",
    "hugetlb": "hugetlb --pages 64",
}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One load at one writer rate on one kernel.

    A kernel is a series, or permm:CHECK: that of tests/checks, booted with CHECK.
    """
    kernel: str
    load: str
    rate: str  # write operations a second: a number, max, or own
    what: str  # unrelated, benign or replace; none at rate 0
    seed: int
    seconds: int

    @property
    def key(self):
        asked = f"{self.what} {self.rate}, seed {self.seed}, {self.seconds}s"
        return f"{self.kernel} {self.load}, {asked}"

    @property
    def command(self):
        words = SWEPT.get(self.load) or LIKE_PROGRAMS[self.load]
        options = f"--duration {self.seconds}s --seed {self.seed}{self.writer_options()}"
        return f"uffdload {words} {options}"

    def writer_options(self):
        """`uffdload free` uses other words: rate 0 for max, replaced for replace."""
        if self.rate == OWN:
            return ""
        if self.load == "free":
            rate = "0" if self.rate == "max" else self.rate
            return f" --rate {rate} --what {'replaced' if self.what == 'replace' else self.what}"
        what = "" if self.what == "none" else f" --writer-what {self.what}"
        return f" --writer-rate {self.rate}{what}"


# Long enough for 3,000 windows. A mapped file opens one in sixteen pages; huge pages fill slowly.
SECONDS = {"restore": 30, "restore balloon": 30, "restore cold": 10, "restore cold swept": 20,
           "restore-inproc swept": 20, "restore-inproc map": 30, "hugetlb": 45}
SHORT = 5
REPLACED = {"torture": 10, "swap swept": 15}  # most copies find the memory unregistered


def cell(kernel, load, rate, what, seed=1, seconds=None):
    replaced = REPLACED.get(load) if what == "replace" else None
    return Cell(kernel, load, rate, what, seed, seconds or replaced or SECONDS.get(load, SHORT))


def rates(kernel, load, which, seeds=(1,), **more):
    """One cell a rate and seed, with writers of other mappings."""
    return [cell(kernel, load, rate, "none" if rate == "0" else "unrelated", seed, **more)
            for seed in seeds for rate in which]


def whats(kernel, load, which):
    """One cell a rate for each of the writers that touch the destination."""
    return [cell(kernel, load, rate, what) for what in ("benign", "replace") for rate in which]


def own(kernel, loads):
    """One cell a load, with its own writers."""
    return [cell(kernel, load, OWN, OWN) for load in loads]


def checks(load, which, seeds, **more):
    """The same load on both checks: what the additional EAGAIN costs."""
    return [c for check in ("per_mm", "snapshot")
            for c in rates(f"permm:{check}", load, which, seeds, **more)]


def quick():
    """Under ten minutes: the newest kernel, an older one, and the one with the per-MM check."""
    cells = rates("7.3", "free", ("0", "100", "1000", "max")) + whats("7.3", "free", ("1000",))
    cells += own("7.3", ("gc", "swap"))
    cells += rates("6.12", "free", ("0", "1000"))
    cells += rates("permm:per_mm", "torture", ("max",)) + checks("gc swept", ("0", "1000"), (1, 2))
    return cells


def full():
    """Three quarters of an hour. Two seeds at the main rates, four where checks are compared."""
    cells = []
    for load in ("free", "restore cold swept"):
        cells += rates("7.3", load, RATES) + rates("7.3", load, MAIN_RATES, (2,))
    cells += rates("7.3", "restore cold swept", ("10000",), (2,))
    for load in ("gc swept", "torture"):
        cells += rates("7.3", load, ("0",) + MAIN_RATES) + rates("7.3", load, MAIN_RATES, (2,))
    for load in ("swap swept", "restore-inproc swept"):
        cells += rates("7.3", load, ("0", "1000"))
    cells += rates("7.3", "restore-inproc swept", ("1000",), (2,))
    cells += whats("7.3", "free", ("1000", "max")) + whats("7.3", "swap swept", ("1000",))
    cells += whats("7.3", "torture", ("max",))
    cells += own("7.3", LIKE_PROGRAMS)
    cells += checks("gc swept", ("0", "1000"), FOUR)
    cells += checks("restore-inproc swept", ("0", "max"), FOUR, seconds=10)
    cells += checks("torture", ("0", "max"), FOUR)
    for check in ("per_mm", "snapshot", "per_vma"):
        cells += rates(f"permm:{check}", "free", ("max",))
        cells += whats(f"permm:{check}", "free", ("max",))
    for series in ("6.12", "7.1"):
        cells += own(series, ("gc",))
    cells += rates("7.1", "free", ("0", "100", "1000", "max"))
    cells += rates("6.12", "free", ("0", "1000", "max")) + rates("6.1", "free", ("1000",))
    return cells
