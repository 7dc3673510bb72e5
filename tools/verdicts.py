# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""What the data says on each claim of the list, in one or two plain sentences, by rules. The numbers are in the tables of claims.py."""
import math

import claims
import records
import stats
from sweepdata import ENOUGH, RATES, Cells, in_words, rare

EMPTIED = "free", "torture"  # these empty the source page before each try, so that it faults again by construction
CHANCE = 0.05
NOTHING = "Nothing can be said from this data."


class Verdicts:
    """One method a value of the templates, under its own name."""

    def __init__(self, data):
        self.data = data

    # --- how often -------------------------------------------------------------------------------------------

    def verdict_1(self):
        """Hildenbrand's "not a problem in practice" against the rates of the sweep."""
        above, below = self.rates_where_all("above 1%"), self.rates_where_all("below 0.1%")
        swept = [rate for rate in RATES if self.data.swept().where(rate=rate)]
        found = [f"more than 1 % of its windows for nothing {rates_in_words(above, swept)}"] * bool(above)
        found += [f"less than 0.1 % {'' if above else 'of its windows '}{rates_in_words(below, swept)}"] * bool(below)
        text = f"With the per-MM check every load here would lose {', and '.join(found)}. " if found else "At no rate did all loads meet the same. "
        return text + "How often real programs write to their mm while handlers copy is not known here, so for them the data supports neither side."

    def rates_where_all(self, wanted):
        """The rates at which it is so for every load that has enough windows, with at least one."""
        found = []
        for rate in RATES:
            said = {rare(c.spurious("per_mm_seq"), c.reached) for c in self.data.swept().where(rate=rate).by("name").values()}
            if said - {"not enough windows"} == {wanted}:
                found.append(rate)
        return found

    def verdict_1_own(self):
        loads = [c for c in self.data.own().by("name").values() if c.reached >= ENOUGH]
        said = [rare(c.spurious("per_mm_seq"), c.reached) for c in loads]
        return (f"Of {len(loads)} loads that write as the programs they resemble and have at least 3,000 windows, {said.count('above 1%')} would lose more than "
                f"1 %, {said.count('between')} between 0.1 and 1 %, {said.count('below 0.1%')} less. {self.spread_of_seeds()}").rstrip()

    def spread_of_seeds(self):
        """How far the seeds of one cell are apart, where each has enough windows."""
        folds = [max(found) / min(found) for found in map(claims.shares_of_seeds, claims.by_cell(self.data.main).values()) if len(found) > 1 and min(found) > 0]
        return f"Two seeds of one row differ up to {max(folds):.1f}-fold." if folds else ""

    def verdict_2(self):
        cells = self.data.swept(("unrelated", "own"))
        return (f"In {in_words(cells.classes('unrelated'), cells.moved)} of {cells.moved} windows in which the counter moved, no writer had locked the "
                "destination's VMA: by construction, for these loads write elsewhere.")

    def verdict_5(self):
        cells = self.data.main
        k = cells.classes("unrelated", "locked", "tolerated", "replaced", "hidden")
        return f"They are: they disagree in {in_words(k, cells.reached)} of {cells.reached} windows, of all loads and rates together."

    def verdict_6(self):
        cells = self.data.main
        n, k = cells.classes(*records.LOCKED), cells.classes("locked", "tolerated")
        if not n:
            return NOTHING
        return (f"It does not: in {in_words(k, n)} of the {n} windows in which this VMA was write-locked, nothing changed in what the snapshot or the meaning of "
                "the address hangs on. The share is that of the calls which these loads make.")

    def verdict_8(self):
        cells, touched = self.data.main, self.data.main.where(what=("benign", "replace"))
        total, needed = cells.count("relock.total"), cells.count("relock.mmap_lock")
        if not total:
            return "How often re-taking the VMA needed mmap_lock is not in this data."
        if not needed:
            return f"mmap_lock was needed in none of {total} times that the VMA was taken again."
        return (f"Re-taking the VMA needed mmap_lock in {needed} of {total} windows, {touched.count('relock.mmap_lock')} of them beside writers that touch the "
                f"destination: {in_words(touched.count('relock.mmap_lock'), touched.count('relock.total'))} of theirs.")

    def verdict_9(self):
        cells = self.data.main
        n, k = cells.reached, claims.for_nothing(cells)
        if k is None:
            return "Nothing can be said: this kernel has no per-VMA locks."
        return (f"Of {n} windows it would have failed {in_words(k, n)} for nothing, and {cells.classes('hidden') or 'none'} that the snapshot passes though the "
                f"address means another page ({cells.classes('replaced')} in which the same memory was mapped anew are in neither). No load of the sweep makes "
                "a change that the snapshot cannot see, so the gain is not measured here.")

    def verdict_11(self):
        text = []
        for name, cells in (("of loads with their own writers", self.data.own()), ("beside writers that replace the destination", self.data.main.where(what="replace"))):
            k, n = cells.classes("real", "hidden", "gone"), cells.reached + cells.classes("gone")
            text.append(f"in {in_words(k, n)} of {n} windows {name}")
        return f"It happened {', and '.join(text)}."

    def verdict_13(self):
        found = [cells.moved / cells.reached / model for _, _, cells, model in self.data.modelled()]
        if not found:
            return NOTHING
        if 0.8 <= min(found) and max(found) <= 1.25:
            return f"The model holds within a quarter in {len(found)} rows."
        return (f"Measured over model is {min(found):.2g} to {max(found):.2g} in {len(found)} rows: the model does not hold in this emulation, so "
                "shares cannot be carried over by it to other lengths and rates.")

    def verdict_emulation(self):
        (k, n), (long_k, long_n) = self.data.by_length(0, claims.SHORT), self.data.by_length(claims.SHORT, math.inf)
        return (f"Of {n} windows shorter than 50 µs {in_words(k, n)} saw a writer, of {long_n} longer ones {in_words(long_k, long_n)}: the emulated CPUs run in turns, and only "
                "a window that a turn interrupts can see another CPU's writer; a busy host interrupts more of them. On real hardware windows are shorter and "
                "writers run beside them: shares may be higher or lower there.")

    # --- what the EAGAIN does --------------------------------------------------------------------------------

    def verdict_3(self):
        cells = Cells(r for r in self.data.per_mm if r.load["what"] != "replace" and r.load["name"] not in EMPTIED)
        done, tried = cells.count_in_all("chains.succeeded"), cells.count("chains.retried")
        if not tried or done is None:
            return NOTHING
        low, high = stats.interval(done, tried)
        word = "It does" if low > 0.99 else "It does not" if high < 0.9 else "Mostly it does"
        return (f"{word}: of {tried} re-issued copies that no event refused, {in_words(done, tried)} succeeded without another fault. "
                "(`free` and `torture` empty the source page before each try, and are left out.)")

    def verdict_4(self):
        said = {}
        for name, measure, step, slow in (("throughput", claims.pages_per_s, 1, -1), ("p99 latency", claims.p99, claims.BUCKET, 1)):
            said.setdefault(self.compare(measure, step, slow), []).append(name)
        return " ".join(f"In {' and '.join(names)} {text}" for text, names in said.items() if text) \
            or "Nothing can be said: fewer than two runs of a load and writer on both checks."

    def compare(self, measure, step, slow):
        """Which check was slower, where the ranges of their runs do not overlap, and so many runs come apart by chance once in 20 at most."""
        found = self.data.apart(measure)
        enough = [f for f in found if claims.by_chance(f) <= CHANCE]
        if not found:
            return ""
        if not enough:
            return (f"the data supports neither side: with {len(found[0][1])} and {len(found[0][2])} runs, a difference comes by chance once in "
                    f"{1 / claims.by_chance(found[0]):.0f}.")
        said = {check: [where for where, a, b in enough if claims.separate((where, a, b), step) == sign]
                for check, sign in (("per-MM check", slow), ("snapshot", -slow))}
        slower = [f"the {check} was slower with {' and with '.join(where)}" for check, where in said.items() if where]
        alike = [where for where, _, _ in enough if where not in said["per-MM check"] + said["snapshot"]]
        if alike:
            slower.append(f"the two checks differed by no more than their runs do among themselves with {' and with '.join(alike)}")
        if len(enough) < len(found):
            slower.append(f"the runs are too few to tell with {' and with '.join(where for where, a, b in found if (where, a, b) not in enough)}")
        return f"{'; '.join(slower)}."

    def verdict_7(self):
        cells = Cells(r for r in self.data.per_mm if r.load["what"] != "replace")
        if not cells.count("chains.count"):
            return NOTHING
        of = {f"{load}; {writer}": c for (load, writer), c in claims.by_cell(cells).items()}
        longest = {name: max(map(claims.longest, c)) for name, c in of.items()}
        where = max(longest, key=longest.get)
        clusters = [name for name, c in of.items() if claims.clusters(stats.merge(r.chains for r in c), longest[name])]
        return (f"No livelock in runs of {claims.seconds(cells)}: a page failed at most {longest[where]} times in a row ({where}), and "
                f"{cells.count('chains.open') or 'none'} had not succeeded when a load was ended. "
                + (f"Failures cluster with {' and with '.join(clusters)}: independent ones would rarely be so many in a row." if clusters
                   else "Independent failures would be as many in a row."))

    # --- beside the check ------------------------------------------------------------------------------------

    def verdict_18(self):
        stock = self.data.stock
        n, k = claims.returned(stock, "EAGAIN"), sum(stock.count(f"eagain_causes.{c}") or 0 for c in claims.CHANGING)
        if not n:
            return "None was seen."
        raised = all(of.count("mmap_changing.raised") for of in stock.by("name").values() if claims.returned(of, "EAGAIN"))
        return (f"It does in these loads: {in_words(k, n)} of {n} EAGAIN on stock kernels were of mmap_changing." +
                (" Only loads that raise events got any." if raised else "") + " Other causes: [EXAMPLES.md](EXAMPLES.md).")

    def verdict_19(self):
        """By whether there is a window at all."""
        loads = self.data.main.by("name")
        cold = [f"`{load}`" for load, cells in loads.items() if not cells.total]
        hot = [cells.total / cells.count("copy.pages") for cells in loads.values() if cells.total and cells.count("copy.pages")]
        if not hot:
            return NOTHING
        text = f"opened {min(hot):.2g} to {max(hot):.2g} windows for each page copied"
        return f"It hangs on the source: {', '.join(cold)} opened no window, the other loads {text}." if cold else f"The loads {text}."

    def verdict_21(self):
        kinds = {c: self.data.main.count(f"by_kind.hugetlb.{c}") or 0 for c in records.REACHED}
        n = sum(kinds.values())
        if not n:
            return NOTHING
        return (f"In {in_words(n - kinds['quiet'], n)} of {n} hugetlb windows the counter moved, in {sum(kinds[c] for c in records.LOCKED) or 'none'} this VMA was "
                "write-locked. Each is hundreds of faults long, so nearly any writer falls into it.")

    def verdict_programs(self):
        runs = self.data.program_runs()
        if not runs:
            return ""
        pages = sum(records.count(run.raw, "copy.pages", run.where) for run in runs)
        return (f"QEMU's post-copy, CRIU's lazy restore, stress-ng and the kernel's own tests copied {pages} pages and opened {runs.total} windows: their sources "
                "were just written.")


def rates_in_words(found, swept):
    """When its mm is written to 1000 times a second or more; without writers."""
    asked = [rate for rate in found if rate != "0"]
    text = ["without writers"] * ("0" in found)
    if asked == ["max"]:
        text.append("when its mm is written to as often as a writer can")
    elif asked:
        top = len(asked) > 1 and swept[swept.index(asked[0]):] == asked
        text.append(f"when its mm is written to {asked[0] + ' times a second or more' if top else ' or '.join(asked) + ' times a second'} (as asked)")
    return " and ".join(text)
