# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The cells of a sweep: loads, writer rates, kernels, and the command of each."""
import dataclasses

RATES = ("0", "100", "1000", "10000", "max")
SEEDS = (1, 2, 3, 4, 5)  # runs of a cell: their spread is the error
ARMS = ("snapshot", "per_mm", "per_vma")  # checks of the kernel permm
OWN = "own"  # a rate: the load's own writes

# Loads whose only writers are those of --writer-rate. With two processors, one thread copies and one
# writes.
SWEPT = {
    "free": "free --copiers 1 --writers 1",
    "restore-inproc swept":
        "restore-inproc --source map --prefetch 0 --remap-rate 0 --device-rate 0",
    "gc swept": "gc --alloc-rate 0",
    "torture": "torture --threads 1",
    "restore cold swept": "restore --cache cold --dir /mnt --device-rate 0",
}
# Loads that resemble programs, with the threads of such a program. /mnt is the guest's disk.
LIKE_PROGRAMS = {
    "restore": "restore",
    "restore cold": "restore --cache cold --dir /mnt",
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


# A mapped file opens one window in sixteen pages; huge pages fill slowly.
SECONDS = {"restore": 6, "restore cold": 6, "restore cold swept": 5, "hugetlb": 8}
SHORT = 4
ARM = 3


def cell(kernel, load, rate, what, seed=1):
    usual = ARM if kernel.startswith("permm") else SHORT
    return Cell(kernel, load, rate, what, seed, SECONDS.get(load, usual))


def rates(kernel, load, which, seeds=(1,)):
    """One cell a rate and seed, with writers of other mappings."""
    return [cell(kernel, load, rate, "none" if rate == "0" else "unrelated", seed)
            for seed in seeds for rate in which]


def whats(kernel, load, which, seed=1):
    """One cell a rate for each of the writers that touch the destination."""
    return [cell(kernel, load, rate, what, seed) for what in ("benign", "replace") for rate in which]


def own(kernel, loads, seed=1):
    """One cell a load, with its own writers."""
    return [cell(kernel, load, OWN, OWN, seed) for load in loads]


def arms(seed):
    """The same loads on a kernel with each check: what its EAGAIN costs. Each is first in its turn."""
    cells, turn = [], seed % len(ARMS)
    for check in ARMS[turn:] + ARMS[:turn]:
        for load, rate in (("gc swept", "1000"), ("restore-inproc swept", "max"), ("torture", "max")):
            control = ("0",) if check != "per_vma" and load != "restore-inproc swept" else ()
            cells += rates(f"permm:{check}", load, (*control, rate), (seed,))
    return cells


def quick():
    """Under ten minutes: the newest kernel, an older one, and the arms."""
    cells = rates("7.3", "free", ("0", "100", "1000", "max")) + whats("7.3", "free", ("1000",))
    return cells + own("7.3", ("gc", "swap")) + rates("6.12", "free", ("0", "1000")) + arms(1)


def full():
    """Forty minutes. All of a seed, arm after arm, before the next seed: what the host does in one
    minute does not hit one arm alone."""
    cells = []
    for seed in SEEDS:
        cells += rates("7.3", "free", RATES, (seed,))
        cells += whats("7.3", "free", ("1000", "max"), seed)
        for load in ("restore cold swept", "gc swept"):
            cells += rates("7.3", load, ("1000", "10000"), (seed,))
        cells += rates("7.3", "torture", ("max",), (seed,)) + own("7.3", LIKE_PROGRAMS, seed) + arms(seed)
    return cells
