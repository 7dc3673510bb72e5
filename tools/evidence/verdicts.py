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
MEASURES = {"throughput": claims.throughputs, "throughput against no writer": claims.throughput_ratios, "p99 latency against no writer": claims.p99_ratios}
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
        text = (f"With the per-MM check each of the {len(self.data.swept().by('name'))} swept loads would lose {', and '.join(found)}. " if found
                else "At no rate did all loads meet the same. ")
        return text + "How often real programs write to their mm while handlers copy is not known here, so for them the data supports neither side."

    def verdict_1_odd(self):
        """Of writers that were in when a window began."""
        cells = self.data.main.where(what="unrelated")
        k, odd = cells.spurious("per_mm_seq"), cells.count("odd_start")
        if not k or odd is None:
            return NOTHING
        return (f"{odd} of {cells.total} windows beside unrelated writers began while a writer was in, and {k} would have been failed: up to "
                f"{in_words(min(odd, k), k)} of these for a writer that had come before the window.")

    def rates_where_all(self, wanted):
        """The rates at which it is so for every load that has enough windows, with at least one."""
        found = []
        for rate in RATES:
            said = {rare(c.spurious("per_mm_seq"), c.reached) for c in self.data.swept().where(rate=rate).by("name").values()}
            # Without writers it is none by construction.
            if rate != "0" and said - {"not enough windows"} == {wanted}:
                found.append(rate)
        return found

    def verdict_1_own(self):
        loads = [c for c in self.data.own().by("name").values() if c.reached >= ENOUGH]
        said = [rare(c.spurious("per_mm_seq"), c.reached) for c in loads]
        return (f"Of {len(loads)} loads with the writers that this project gave them (most some hundred a second) and at least 3,000 windows, {said.count('above 1%')} would lose more than "
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
        def differ(what):
            cells = self.data.main.where(what=what)
            return f"{in_words(cells.classes('unrelated', 'locked', 'tolerated', 'replaced', 'hidden'), cells.reached)} of {cells.reached} beside {what} writers"
        found = [differ(what) for what in claims.TOUCHED if self.data.main.where(what=what).reached]
        return f"They are: they disagree in {', '.join(found)}." if found else NOTHING

    def verdict_6(self):
        cells = self.data.main
        n, same, other, replaced = (cells.classes(*names) for names in (records.LOCKED, ("locked",), ("tolerated",), ("replaced",)))
        if not n:
            return NOTHING
        return (f"It need not: of {n} windows in which this VMA was write-locked, {in_words(same, n)} showed no difference at all, {in_words(other, n)} one that the snapshot "
                f"ignores (range, flags, protection), {in_words(replaced, n)} had the range unmapped and mapped again. {cells.classes('gone')} more found no VMA "
                "that would do. The mix is that of the calls which these loads make.")

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
        cells, touched = self.data.main, self.data.main.where(what=("benign", "replace"))
        if claims.for_nothing(cells) is None:
            return "Nothing can be said: this kernel has no per-VMA locks."
        return (f"It would have failed {in_words(claims.for_nothing(cells), cells.reached)} of all {cells.reached} windows for nothing, "
                f"{in_words(claims.for_nothing(touched), touched.reached)} of the {touched.reached} beside writers that touch the destination, and "
                f"{cells.classes('hidden') or 'none'} that the snapshot wrongly passed. {cells.classes('replaced')} in which the range was unmapped and mapped again are in "
                "neither. No load of the sweep makes a change that the snapshot cannot see: what it would gain is in [merged-check.md](merged-check.md) "
                "(`shifted-file`, `other-uffd`), made to order.")

    def verdict_11(self):
        text = []
        for name, cells in (("of loads with their own writers", self.data.own()), ("beside writers that replace the destination", self.data.main.where(what="replace"))):
            k, n = cells.classes("real", "hidden", "gone"), cells.reached + cells.classes("gone")
            text.append(f"in {in_words(k, n)} of {n} windows {name}" + (f" (< {3 / n * 100:.2g} %)" if n and not k else ""))
        cells = self.data.main
        fired = cells.classes("real", "false_alarm")
        return (f"It happened {', and '.join(text)}. The snapshot differed in {fired or 'none'} of {cells.reached} windows: "
                + ("whatever really changed was refused before, when the VMA was looked up." if not fired else "the rest was refused before, when the VMA was looked up."))

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
        loads = ", ".join(f"`{load}`" for load, c in cells.by("name").items() if c.count("chains.retried"))
        return (f"{word}, with sources that stay in memory: of {tried} re-issued copies that mmap_changing did not refuse ({loads}), {in_words(done, tried)} succeeded "
                "without another fault. Not tested: sources that are reclaimed or swapped out, THP, NUMA hinting, migration. (`free` and `torture` empty the source "
                "page before each try, and are left out.)")

    def verdict_4(self):
        """Per load and writer: what differed between the two checks, by rules of separate() and by_chance()."""
        found = {name: {f[0]: f for f in self.data.apart(of_pairs)} for name, of_pairs in MEASURES.items()}
        said = [self.cost_of(where, {name: of[where] for name, of in found.items() if where in of}) for where in found["throughput"]]
        return ("With the per-MM check, against the snapshot: " + "; ".join(said) + ". A cost that is less than what runs differ by would not be seen here." if said
                else "Nothing can be said: fewer than two runs of a load and writer on both checks.")

    @staticmethod
    def cost_of(where, found):
        """Of one load and writer: {measure: (its name, numbers with the per-MM check, with the snapshot)}."""
        apart, few, alike = [], [], []
        for name, f in found.items():
            difference = f"{name} {how_much(f)}"
            if claims.by_chance(f) > CHANCE:
                few.append(difference)
            elif claims.separate(f, claims.BUCKET if name.startswith("p99") else 1):
                apart.append(f"{difference}, all {len(f[1])} runs beyond all {len(f[2])}")
            else:
                alike.append(name)
        text = apart + [f"{', '.join(alike)} overlap{'s' if len(alike) == 1 else ''}"] * bool(alike)
        text += [f"{', '.join(few)}, of {' and '.join(str(len(x)) for x in list(found.values())[0][1:])} runs, too few to tell"] * bool(few)
        return f"{where}: {', '.join(text)}"

    def verdict_7(self):
        cells = Cells(r for r in self.data.per_mm if r.load["what"] != "replace")
        if not cells.count("chains.count"):
            return NOTHING
        of = {f"{load}; {writer}": c for (load, writer), c in claims.by_cell(cells).items()}
        longest = {name: max(map(claims.longest, c)) for name, c in of.items()}
        where = max(longest, key=longest.get)
        clusters = [name for name, c in of.items() if claims.clusters(c)]
        return (f"No livelock in runs of {claims.seconds(cells)}: a page failed at most {longest[where]} times in a row ({where}), and "
                f"{cells.count('chains.open') or 'none'} had not succeeded when a load was ended. "
                + (f"Failures cluster with {' and with '.join(clusters)}: a try after a failure fails more often than a first one." if clusters
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

    def verdict_17(self):
        cells = self.data.main.where(what=("unrelated", "benign", "own"))
        writers = cells.writers()
        k, n = sum(w for (op, _), w in writers.items() if op.startswith("UFFDIO_")), sum(writers.values())
        return (f"In these loads {in_words(k, n)} of {n} writers in windows were calls on a userfaultfd, but for the loads that replace the destination and register "
                "it again.")

    def verdict_19(self):
        """By whether there is a window at all."""
        loads = self.data.main.by("name")
        cold = [f"`{load}`" for load, cells in loads.items() if not cells.total]
        hot = [cells.total / cells.count("copy.returned.ok") for cells in loads.values() if cells.total and cells.count("copy.returned.ok")]
        if not hot:
            return NOTHING
        text = f"opened {min(hot):.2g} to {max(hot):.2g} windows for each successful copy"
        return f"It depends on the source: {', '.join(cold)} opened no window, the other loads {text}." if cold else f"The loads {text}."

    def verdict_21(self):
        kinds = {c: self.data.main.count(f"by_kind.hugetlb.{c}") or 0 for c in records.REACHED}
        n = sum(kinds.values())
        if not n:
            return NOTHING
        return (f"In {in_words(n - kinds['quiet'], n)} of {n} hugetlb windows, one a copy, the counter moved, in {sum(kinds[c] for c in records.LOCKED) or 'none'} this VMA "
                "was write-locked. Each copies 2 MiB, with a fault for every page or block of pages of its source, so nearly any writer falls into it.")

    def verdict_programs(self):
        runs = self.data.program_runs()
        if not runs:
            return ""
        copies = sum(records.count(run.raw, "copy.calls", run.where) for run in runs)
        return (f"QEMU's post-copy, CRIU's lazy restore, stress-ng and the kernel's own tests made {copies} copies and opened {runs.total} windows: their sources "
                "were just written.")


def how_much(found):
    """16 % lower, of the means."""
    _, a, b = found
    ratio = (sum(a) / len(a)) / (sum(b) / len(b)) - 1
    return f"{abs(ratio) * 100:.0f} % {'lower' if ratio < 0 else 'higher'}"


def rates_in_words(found, swept):
    """When its mm is written to 1000 times a second or more; without writers."""
    asked = [rate for rate in found if rate != "0"]
    text = ["without writers"] * ("0" in found)
    if asked == ["max"]:
        text.append("when its mm is written to as often as a writer can")
    elif asked:
        top = len(asked) > 1 and swept[swept.index(asked[0]):] == asked
        text.append(f"when its mm is written to {asked[0] + ' times a second or more' if top else ' or '.join(asked) + ' times a second'} (as asked; each write takes mmap_lock twice)")
    return " and ".join(text)
