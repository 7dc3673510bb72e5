# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The cells of a sweep: which loads, at which writer rates, on which kernels, and the command of each."""
import dataclasses

RATES = ("0", "10", "100", "1000", "10000", "max")
CHECKS = ("snapshot", "per_mm", "per_vma")  # of the kernel `permm`, whose boot parameter chooses one


@dataclasses.dataclass(frozen=True)
class Cell:
    """One load at one writer rate on one kernel. A kernel is a series, or permm:CHECK."""
    kernel: str
    load: str
    rate: str  # write operations a second: a number, or max
    what: str  # unrelated, benign or replace; none at rate 0
    seed: int
    seconds: int

    @property
    def key(self):
        return f"{self.kernel} {self.load} {self.what} {self.rate}/s seed {self.seed} {self.seconds}s"

    @property
    def command(self):
        return free_command(self) if self.load == "free" else load_command(self)


def free_command(cell):
    """`uffdload free` says 0 where the other loads say max, and replaced where they say replace."""
    rate = "0" if cell.rate == "max" else cell.rate
    what = "replaced" if cell.what == "replace" else cell.what
    return f"uffdload free --duration {cell.seconds}s --copiers 2 --writers 1 --rate {rate} --what {what} --seed {cell.seed}"


def load_command(cell):
    what = "" if cell.what == "none" else f" --writer-what {cell.what}"
    return f"uffdload {cell.load} --duration {cell.seconds}s --writer-rate {cell.rate}{what} --seed {cell.seed}"


def rates(kernel, load, which, seed, seconds):
    """One cell a rate, with writers of other mappings."""
    return [Cell(kernel, load, rate, "none" if rate == "0" else "unrelated", seed, seconds) for rate in which]


def whats(kernel, load, which, seed, seconds):
    """One cell a rate for each of the writers that touch the destination."""
    return [Cell(kernel, load, rate, what, seed, seconds) for what in ("benign", "replace") for rate in which]


def quick():
    """A quarter of an hour with all that follows: the newest kernel, and one older series."""
    cells = rates("7.3", "free", RATES, 1, 4)
    cells += whats("7.3", "free", ("1000", "max"), 1, 4)
    cells += rates("6.12", "free", ("0", "1000", "max"), 1, 4)
    return cells


def full():
    cells = quick()
    cells += rates("7.1", "free", ("0", "100", "1000", "max"), 1, 4)
    cells += rates("6.1", "free", ("1000",), 1, 4)
    for check in CHECKS:
        cells += rates(f"permm:{check}", "free", ("0", "1000", "max"), 1, 4)
        cells += whats(f"permm:{check}", "free", ("max",), 1, 4)
    return cells
