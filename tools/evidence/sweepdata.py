# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The cells of a sweep as the documents ask for them: chosen, added up, and as shares with their intervals."""
import math

import records
import stats

ENOUGH = 3000  # windows behind a rate
RATES = ("0", "10", "100", "1000", "10000", "max")


def groups(runs, key):
    """{value of key: runs}, in the order in which the values come."""
    found = {}
    for run in runs:
        found.setdefault(key(run), []).append(run)
    return found


def main_kernel(runs):
    """The stock kernel with the most cells; else any; None without cells."""
    cells = groups([r for r in runs if r.load], lambda r: r.kernel)
    stock = {k: v for k, v in cells.items() if k != "permm"} or cells
    return max(stock, key=lambda k: len(stock[k]), default=None)


class Cells(list):
    """Runs of kind cell; the sums of their counters."""

    def where(self, **wanted):
        """Those with kernel=, check=, load=, what=, rate= as given; a tuple means one of these."""
        def fits(run):
            has = {"kernel": run.kernel, "check": run.load["check"], "load": run.load["name"], "what": run.load["what"],
                   "rate": run.load["rate"]}
            return all(has[k] in (v if isinstance(v, tuple) else (v,)) for k, v in wanted.items())
        return Cells(run for run in self if fits(run))

    def by(self, key):
        return {value: Cells(runs) for value, runs in groups(self, lambda r: r.load[key] if key in r.load else getattr(r, key)).items()}

    def count(self, path):
        """The sum of a member of the summaries; None when it is null in all."""
        found = [records.count(run.raw["summary"], path, run.where, None) for run in self]
        found = [n for n in found if n is not None]
        return sum(found) if found else None

    def count_in_all(self, path):
        """The same; None when it is missing in any."""
        found = [records.count(run.raw["summary"], path, run.where, None) for run in self]
        return sum(found) if found and None not in found else None

    def classes(self, *names):
        return sum(run.windows[c] for run in self for c in names)

    @property
    def total(self):
        return sum(run.total for run in self)

    @property
    def reached(self):
        return sum(run.reached for run in self)

    @property
    def moved(self):
        """Windows that came to a check and in which mm_lock_seq moved."""
        return self.reached - self.classes("quiet")

    def spurious(self, check):
        found = [run.spurious[check] for run in self if run.spurious[check] is not None]
        return sum(found) if found else None

    def durations(self, classes=records.REACHED):
        return stats.merge(run.durations[c] for run in self for c in classes)

    def writers(self):
        """{(op, covers): windows}"""
        found = {}
        for w in (w for run in self for w in run.writers):
            found[(w.op, w.covers)] = found.get((w.op, w.covers), 0) + w.windows
        return found

    @property
    def writes(self):
        """Write operations a second that the load made, on average of these cells."""
        return sum(run.rate for run in self) / len(self) if self else None


def percent(p):
    return f"{p * 100:.2g}%" if p < 0.0995 else f"{p * 100:.3g}%"


def at_least(p):
    """percent(), rounded down, so that "more than" holds of it; near all with more digits."""
    steps = 10000 if p > 0.99 else 1000
    return f"{math.floor(p * steps) * 100 / steps:g}%"


def counted(k, n):
    """2 of 2 (> 99.1%): counts and their bound, where a share would be all or nothing; else the share."""
    return f"{k} of {n} (> {at_least(stats.interval(k, n)[0])})" if n and k == n else share(k, n)


def share(k, n):
    """12.0% (11.6% ... 12.4%), or the bound that none in n proves."""
    if k is None:
        return "not on this kernel"
    if not n:
        return "-"
    low, high = stats.interval(k, n)
    return f"{percent(k / n)} ({percent(low)} ... {percent(high)})" if k else f"0 (< {percent(high)})"


def in_words(k, n):
    """For a sentence that says of how many: 4.1 %, none, all."""
    if not k:
        return "none"
    return "all" if k == n else percent(k / n).replace("%", " %")


def of_windows(k, n):
    """A share of windows, when there are enough of them; of few, their counts, with a bound where that says above 1 %."""
    if not n:
        return "no window"
    if k is None or n >= ENOUGH:
        return share(k, n)
    return f"{k} of {n} (> {at_least(stats.interval(k, n)[0])})" if rare(k, n) == "above 1%" else f"{k} of {n}, too few for a bound"


def rare(k, n):
    """Is it too rare to matter? The rule of uffdretry --claims: below 0.1 %, above 1 %. Few windows can show the latter only."""
    if k is None:
        return "not on this kernel"
    low, high = stats.interval(k, n)
    if n and low > 0.01:
        return "above 1%"
    if n < ENOUGH:
        return "not enough windows"
    return "below 0.1%" if high <= 0.001 else "between"


def table(head, rows):
    """A Markdown table; all but the first column are numbers."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1)] + [list(row) for row in rows]
    return "\n".join("| " + " | ".join("-" if cell is None else str(cell) for cell in line) + " |" for line in lines)


def plain_table(head, rows):
    """The same for a mail: aligned with spaces, the first column to the left."""
    lines = [[("-" if cell is None else str(cell)) for cell in line] for line in [head, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)
