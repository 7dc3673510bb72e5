# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The tables of each claim of the list, as text for the templates. What they amount to is in verdicts.py."""
import glob
import math
import os

import records
import stats
from sweepdata import ENOUGH, RATES, Cells, counted, groups, main_kernel, of_windows, percent, rare, share, table

CHANGING = ("entry_mmap_changing", "lock_mmap_changing", "relock_mmap_changing")
CAUSES = CHANGING + ("vma_lock", "snapshot", "pte", "short_copy", "unknown")
OWN_WRITES = "device", "remaps", "allocations", "forks"
TOUCHED = "unrelated", "benign", "replace"
SHORT = 50e3  # ns
BUCKET = 1.25  # of latencies: less than this between two of them may be one bucket's width


def writer_name(run):
    """Of a cell: who writes, and how often that was asked for."""
    what, rate = run.load["what"], run.load["rate"]
    return "no writer" if what == "none" else "its own" if what == "own" else f"{what}, {rate}/s"


def by_cell(cells):
    """{(load, writer): Cells}, the seeds of one together."""
    return {key: Cells(runs) for key, runs in groups(cells, lambda r: (r.load["name"], writer_name(r))).items()}


def own_writes(cells):
    """Calls a second of a load's own threads that take mmap_lock for writing (load/program/result.c has the counts)."""
    return sum(sum(records.count(r.result, f"counts.{name}", r.where, 0) for name in OWN_WRITES) / elapsed(r) for r in cells) / len(cells)


def elapsed(run):
    """Seconds that the load ran."""
    return records.number(run.result, "elapsed_ns", run.where, 0) / 1e9 or records.number(run.result, "elapsed_s", run.where)


def relocks(cells):
    """Times that the VMA was taken again, those in which its own lock was not to be had, and how long these took (--relock)."""
    total, needed = cells.count("relock.total"), cells.count("relock.mmap_lock")
    waits = stats.merge(records.buckets(r.raw["summary"], "hist_ns.relock_mmap_lock", r.where) for r in cells)
    return [total, of_windows(needed, total) if total else None, *(micro(stats.quantile(waits, q)) for q in (0.5, 0.99))]


class Tables:
    """The data, chosen for the claims; and one method a value of the templates, under its own name."""

    def __init__(self, cells, programs):
        self.all = cells
        self.programs_dir = programs
        self.kernel = main_kernel(cells)
        self.main = cells.where(kernel=self.kernel)
        self.stock = Cells(run for run in cells if run.kernel != "permm")
        self.seq = Cells(run for run in self.stock if run.spurious["per_mm_seq"] is not None)
        self.per_mm = cells.where(kernel="permm", check="per_mm")
        self.snapshot = cells.where(kernel="permm", check="snapshot")

    # --- what was measured -----------------------------------------------------------------------------------

    def kernel_name(self):
        return self.main[0].raw["kernel"]["release"]

    def machine(self):
        machine = self.all[0].raw["machine"]
        cpu = f" ({machine['cpu']})" if "cpu" in machine else ""
        return (f"QEMU {machine['qemu']} without KVM ({machine['accelerator']}, one host thread for all CPUs), {machine['cpus']} CPUs{cpu}, "
                f"{machine['memory']} of memory")

    def dates(self):
        found = sorted({run.raw["date"] for run in self.all})
        return found[0] if len(found) == 1 else f"{found[0]} to {found[-1]}"

    def windows(self):
        return str(self.all.total)

    def kernels(self):
        rows = []
        for _, of in self.all.by("kernel").items():
            for check, cells in of.by("check").items():
                plan = cells[0].raw["summary"]["plan"]
                rows.append([f"`{cells[0].raw['kernel']['release']}`", check, f"`{plan['name']}`", "exact" if plan["exact"] else "early",
                             len(cells), cells.total, cells.classes("undetermined"), cells.count("lost.recursion"), cells.count("anomalies")])
        return table(["kernel", "its check", "plan", "begin", "cells", "windows", "undetermined", "skipped runs", "anomalies"], rows)

    def seeds(self):
        """How often each was run, and for how long."""
        most = {of[0].raw["kernel"]["release"]: max(len({r.load["seed"] for r in cells}) for cells in by_boot(of).values())
                for of in self.all.by("kernel").values()}
        more = "; ".join(f"some of up to {n} on {release}" for release, n in most.items() if n > 1)
        return "Rows are of one seed" + (f", {more}" if more else "") + f"; each run is of {seconds(self.all)}."

    def self_tests(self):
        passed = sum(run.raw["summary"]["plan"]["self_test"] == "passed" for run in self.all)
        return f"{passed} of {len(self.all)}"

    def sweep(self):
        rows = []
        for (load, writer), cells in by_cell(self.main).items():
            rows.append([f"{load}; {writer}", f"{own_writes(cells) if cells[0].load['what'] == 'own' else cells.writes:.0f}", cells.count("copy.pages"), cells.reached,
                         *(of_windows(cells.spurious(c), cells.reached) for c in ("per_mm_seq", "per_vma_seq", "snapshot")),
                         ", ".join(map(percent, shares_of_seeds(cells))) if len(cells) > 1 else None])
        return table(["load; writer, asked", "writes/s made", "pages", "windows", "per-MM seq", "per-VMA seq", "snapshot", "per-MM seq, each seed"], rows)

    def sweep_others(self):
        rows = []
        for kernel, of in self.stock.by("kernel").items():
            for (load, writer), cells in by_cell(of if kernel != self.kernel else Cells()).items():
                rows.append([f"{kernel}: {load}; {writer}", cells.count("copy.pages"), cells.reached,
                             *(of_windows(cells.spurious(c), cells.reached) for c in ("per_mm_seq", "per_vma_seq", "snapshot"))])
        return table(["kernel: load; writer", "pages", "windows", "per-MM seq", "per-VMA seq", "snapshot"], rows) if rows else "None."

    # --- the claims ------------------------------------------------------------------------------------------

    def own(self):
        """Loads that resemble programs, with their own writers."""
        return self.main.where(what="own")

    def swept(self, what=("none", "unrelated")):
        return self.main.where(what=what)

    def claim_1(self):
        rows = []
        for rate in RATES:
            cells = self.swept().where(rate=rate)
            if cells:
                rows.append([f"writers elsewhere, {rate}/s asked, all loads", *spurious_row(cells), least_and_most(cells)])
        for load, cells in self.own().by("name").items():
            rows.append([f"`{load}` with its own writers", *spurious_row(cells), None])
        return table(["where", "windows", "per-MM seq fails for nothing", "against 0.1 % and 1 %", "least and most of a load"], rows)

    def claim_1_odd(self):
        rows = []
        for load, cells in self.main.where(what=("unrelated", "own")).by("name").items():
            k, odd = cells.spurious("per_mm_seq"), cells.count("odd_start")
            if k and odd is not None and cells.total >= ENOUGH:
                rows.append([f"`{load}`", cells.total, k, odd, "any" if odd >= k else f"at most {percent(odd / k)}"])
        return table(["load, writers elsewhere or its own", "windows", "per-MM seq fails for nothing", "windows that began while a writer was in",
                      "of the failed ones these may be"], rows)

    def claim_2(self):
        rows = [[f"`{load}`", cells.moved, counted(cells.classes("unrelated"), cells.moved)]
                for load, cells in self.swept(("unrelated", "own")).by("name").items() if cells.moved]
        return table(["load", "windows in which mm_lock_seq moved", "only by writers of other VMAs"], rows)

    def claim_2_writers(self):
        cells, rows = self.swept(("unrelated", "own")), []
        ops = cells.writers()
        for op in sorted({op for op, _ in ops}, key=lambda op: -ops.get((op, False), 0) - ops.get((op, True), 0)):
            rows.append([op, ops.get((op, False), 0), ops.get((op, True), 0)])
        return table(["writer", "windows, range elsewhere or none", "windows, range covers the destination"], rows)

    def claim_3(self):
        rows = []
        for (load, writer), cells in by_cell(self.per_mm).items():
            n, again = cells.count("chains.reissued"), cells.count("chains.reopened")
            if n and cells[0].load["what"] != "replace":
                done, tried = cells.count_in_all("chains.succeeded"), cells.count("chains.retried")
                rows.append([f"{load}; {writer}", n, again, counted(n - again, n), tried, None if done is None else counted(done, tried)])
        return table(["load; writer, on the kernel with the per-MM check", "copies re-issued", "opened a window again", "opened none again",
                      "not refused by mmap_changing", "of these succeeded without a window"], rows) if rows \
            else "No copy was re-issued in this data."

    def claim_4(self):
        rows = []
        for (load, writer), cells in by_cell(Cells(r for r in self.per_mm if r.load["what"] in ("unrelated", "benign"))).items():
            for check, of in (("per-MM seq", self.per_mm), ("snapshot", self.snapshot)):
                rows += self.cost_rows(load, writer, check, of)
        return table(["load; writer", "check", "runs", "writes/s made, each run", "copies", "EAGAIN", "pages/s (emulated), each run", "pages/s against no writer, each run",
                      "p99 latency against no writer, each run", "longest run of failures"], rows) if rows else "No cell of the kernel with the other check in this data."

    @staticmethod
    def pairs(of, load, writer):
        """[(with this writer, without writers)] of the same seed and boot."""
        quiet = {r.load["seed"]: r for r in of.where(load=load, what="none")}
        return [(r, quiet[r.load["seed"]]) for r in of.where(load=load) if writer_name(r) == writer and r.load["seed"] in quiet]

    def cost_rows(self, load, writer, check, of):
        pairs = self.pairs(of, load, writer)
        if pairs:
            cells = Cells(a for a, _ in pairs)
            yield [f"{load}; {writer}", check, len(pairs), whole(a.rate for a in cells), cells.count("copy.calls"), returned(cells, "EAGAIN"),
                   whole(map(pages_per_s, cells)), numbers(ratios(pairs, pages_per_s)), numbers(ratios(pairs, p99)), max(longest(a) for a in cells)]

    def apart(self, of_pairs):
        """[(load; writer, numbers with the per-MM check, with the snapshot)] where both have two runs or more."""
        found = []
        for load, writer in by_cell(Cells(r for r in self.per_mm if r.load["what"] in ("unrelated", "benign"))):
            a, b = (of_pairs(self.pairs(of, load, writer)) for of in (self.per_mm, self.snapshot))
            if len(a) >= 2 and len(b) >= 2:
                found.append((f"{load}; {writer}", a, b))
        return found

    def claim_5(self):
        rows, cells = [], self.main
        for names, (snapshot, vma, mm) in ((("quiet",), ("pass", "pass", "pass")), (("unrelated",), ("pass", "pass", "EAGAIN")),
                                           (("locked", "tolerated", "replaced", "hidden"), ("pass", "EAGAIN", "EAGAIN")),
                                           (("false_alarm", "real"), ("EAGAIN", "EAGAIN", "EAGAIN"))):
            rows.append([", ".join(names), snapshot, vma, mm, cells.classes(*names), of_windows(cells.classes(*names), cells.reached)])
        return table(["classes", "snapshot", "per-VMA seq", "per-MM seq", "windows", f"share of {cells.reached}"], rows)

    def claim_6(self):
        rows = []
        for what, cells in self.main.by("what").items():
            n = cells.classes(*records.LOCKED)
            if n:
                rows.append([what, n, share(cells.classes("locked"), n), cells.classes("tolerated"),
                             ", ".join(f"{name} {cells.count('tolerated_reasons.' + name)}" for name in ("range", "flags", "prot", "policy")
                                       if cells.count("tolerated_reasons." + name)) or None,
                             cells.classes("replaced"), cells.classes("hidden", "false_alarm", "real")])
        return table(["writers", "windows in which this VMA was write-locked", "nothing about it differed", "tolerated", "of that differed in",
                      "replaced", "hidden, false_alarm, real"], rows) if rows else "No such window in this data."

    def claim_7(self):
        rows = []
        for (load, writer), cells in by_cell(Cells(r for r in self.per_mm if r.load["what"] != "replace")).items():
            chains = stats.merge(r.chains for r in cells)
            n = sum(c for _, _, c in chains)
            if n:
                expected = expected_longest(cells)
                rows.append([f"{load}; {writer}", of_windows(cells.moved, cells.reached), percent(fails_again(chains)), n,
                             max(longest(r) for r in cells), expected and f"{expected:.0f}",
                             stats.quantile(chains, 0.99), cells.count("chains.open")])
        return table(["load; writer", "windows that the per-MM check failed", "tries after a failure that failed", "chains", "longest", "longest if geometric",
                      "99th percentile", "never ended"], rows) if rows else "No chain on the kernel with the per-MM check in this data."

    def claim_8(self):
        rows = [[f"{load}; {writer}", cells.reached, of_windows(cells.classes(*records.LOCKED), cells.reached), *relocks(cells)]
                for (load, writer), cells in by_cell(self.main.where(what=("benign", "replace", "own"))).items() if cells.reached]
        return table(["load; writer", "windows", "this VMA was write-locked in it", "tries to take it again, failed ones too", "of these by mmap_lock", "which took p50, µs (emulated)", "p99"], rows)

    def claim_9(self):
        rows = []
        for (load, writer), cells in by_cell(self.main).items():
            n = cells.reached
            if n and cells.classes(*records.LOCKED):
                rows.append([f"{load}; {writer}", n, cells.classes("hidden"), cells.classes("replaced"),
                             (cells.count("tolerated_reasons.prot") or 0) + (cells.count("tolerated_reasons.policy") or 0),
                             of_windows(for_nothing(cells), n)])
        return table(["load; writer", "windows", "hidden", "replaced", "protection or policy changed", "per-VMA seq fails for nothing"], rows) \
            if rows else "No VMA was write-locked in a window in this data."

    def claim_10(self):
        rows = []
        for _, cells in self.stock.by("kernel").items():
            seen = cells[0].raw["summary"]["checks"]["per_mm_seq"] is not None and cells[0].spurious["per_mm_seq"] is not None
            rows.append([f"`{cells[0].raw['kernel']['release']}`", "yes" if seen else "no: the tool prints null"])
        return table(["kernel", "has mm_lock_seq"], rows)

    def claim_11(self):
        rows = []
        for (load, writer), cells in by_cell(self.main.where(what=("own", "replace", "benign"))).items():
            n = cells.reached + cells.classes("gone")
            why = [f"{name} {cells.count('snapshot_reasons.' + name)}" for name in ("uffd_flags", "shared", "ops", "file", "inode", "pgoff")
                   if cells.count("snapshot_reasons." + name)]
            rows.append([f"{load}; {writer}", n, cells.classes("real", "hidden"), ", ".join(why) or None, cells.classes("gone"),
                         ", ".join(f"{errno} {k}" for errno, k in gone_by_errno(cells).items()) or None, cells.classes("false_alarm"), of_windows(cells.classes("real", "hidden", "gone"), n)])
        return table(["load; writer", "windows and gone", "real, hidden", "snapshot differed in", "gone", "copies refused when it was taken again", "false_alarm", "really changed"], rows)

    def claim_13(self):
        rows = []
        for load, cells in self.main.by("name").items():
            h = cells.durations()
            if h:
                rows.append([f"`{load}`", cells.reached, *(micro(stats.quantile(h, q)) for q in (0.5, 0.9, 0.99, 0.999))])
        return table(["load", "windows", "p50, µs (emulated)", "p90", "p99", "p99.9"], rows)

    def claim_13_model(self):
        rows = [[f"{load}; {rate}/s asked", f"{cells.writes:.0f}", of_windows(cells.moved, cells.reached), percent(model),
                 f"{cells.moved / cells.reached / model:.2f}"] for load, rate, cells, model in self.modelled()]
        return table(["load; writer", "writes/s made", "measured", "model", "measured / model"], rows) if rows else "No swept load in this data."

    def by_length(self, low, high):
        """(windows in which mm_lock_seq moved, windows) of this length in ns, beside writers elsewhere."""
        cells = self.main.where(what="unrelated")
        return tuple(sum(c for a, b, c in cells.durations(classes) if low <= stats.middle(a, b) < high)
                     for classes in (records.REACHED[1:], records.REACHED))

    def claim_13_lengths(self):
        rows = []
        for name, low, high in (("below 50 µs", 0, SHORT), ("50 to 200 µs", SHORT, 4 * SHORT), ("200 µs and more", 4 * SHORT, math.inf)):
            k, n = self.by_length(low, high)
            rows.append([name, n, k, of_windows(k, n)])
        return table(["length, writers elsewhere at any rate", "windows", "mm_lock_seq moved", "share"], rows)

    def modelled(self):
        """(load, rate, cells, the model's share) of each swept load and rate that has enough windows."""
        for load, of in self.swept().by("name").items():
            still = of.where(rate="0").durations()
            total = sum(n for _, _, n in still)
            for rate in RATES[1:]:
                cells = of.where(rate=rate, what="unrelated")
                model = stats.model(still, 2 * cells.writes) / total if cells and total else 0
                if model and cells.reached >= ENOUGH:
                    yield load, rate, cells, model

    def claim_14(self):
        rows = []
        for load, of in self.swept().by("name").items():
            found = []
            for limit in (0.01, 0.1):
                over = [c for c in (of.where(rate=rate, what="unrelated") for rate in RATES[1:])
                        if c and c.reached and stats.interval(c.spurious("per_mm_seq"), c.reached)[0] > limit]
                found.append(f"{over[0][0].load['rate']} asked, {over[0].writes:.0f} made" if over else None)
            if of.where(what="unrelated"):
                tried = [rate for rate in RATES[1:] if of.where(rate=rate, what="unrelated")]
                rows.append([f"`{load}`", ", ".join(tried), of.where(what="unrelated").reached, *(f or "not reached" for f in found)])
        return table(["load", "rates tried", "windows", "least of them with > 1 %", "with > 10 %"], rows)

    def claim_15(self):
        rows = []
        for what in TOUCHED:
            cells = self.main.where(what=what)
            if cells.reached:
                rows.append([what, cells.reached, *(of_windows(cells.spurious(c), cells.reached) for c in ("per_mm_seq", "per_vma_seq", "snapshot"))])
        return table(["writers, all loads and rates", "windows", "per-MM seq", "per-VMA seq", "snapshot"], rows)

    def claim_17(self):
        rows = []
        for what, cells in self.main.by("what").items():
            writers = cells.writers()
            total = sum(writers.values())
            uffd = sum(n for (op, _), n in writers.items() if op.startswith("UFFDIO_"))
            if total:
                rows.append([what, total, share(uffd, total)])
        return table(["writers of the load", "writers seen in windows", "of these UFFDIO_REGISTER and the like"], rows)

    def claim_18(self):
        rows = []
        for kernel, of in self.stock.by("kernel").items():
            for load, cells in of.by("name").items():
                n = returned(cells, "EAGAIN")
                if n:
                    found = {c: cells.count(f"eagain_causes.{c}") for c in CAUSES}
                    rows.append([f"{kernel}: {load}", n, counted(sum(found[c] or 0 for c in CHANGING), n),
                                 ", ".join(f"{c} {k}" for c, k in found.items() if k)])
        return table(["kernel: load", "EAGAIN", "by mmap_changing", "causes"], rows) if rows else "No copy got EAGAIN on a stock kernel in this data."

    def claim_19(self):
        rows = []
        for load, cells in self.main.by("name").items():
            pages = cells.count("copy.pages")
            done = cells.count("copy.returned.ok") or 0
            rows.append([f"`{load}`", cells.count("copy.calls"), done, pages, cells.total, windows_each(cells.total, done)])
        return table(["load", "UFFDIO_COPY calls", "that succeeded", "pages", "windows", "windows a successful copy"], rows)

    def claim_20(self):
        rows = [[f"`{load}`", cells.total, of_windows(cells.count("external"), cells.total), of_windows(cells.spurious("per_mm_seq"), cells.reached)]
                for load, cells in self.main.by("name").items() if cells.total]
        return table(["load", "windows", "handler is another process", "per-MM seq fails for nothing"], rows)

    def claim_21(self):
        rows = []
        for load, cells in self.main.by("name").items():
            kinds = {c: cells.count(f"by_kind.hugetlb.{c}") or 0 for c in records.REACHED}
            n = sum(kinds.values())
            if n:
                rows.append([f"`{load}`", n, of_windows(n - kinds["quiet"], n), sum(kinds[c] for c in records.LOCKED), kinds["hidden"] + kinds["real"]])
        return table(["load", "hugetlb windows", "mm_lock_seq moved", "this VMA write-locked", "hidden, real"], rows) if rows \
            else "No hugetlb window in this data."

    # --- programs ----------------------------------------------------------------------------------------------

    def program_runs(self):
        found = [records.read_program(path) for path in sorted(glob.glob(os.path.join(self.programs_dir, "*.json")))]
        return Cells(run for run in found if run)

    def programs(self):
        rows = [[f"`{run.load['name']}`", run.kernel, records.count(run.raw, "copy.calls", run.where), records.count(run.raw, "copy.pages", run.where),
                 run.total, of_windows(run.spurious["per_mm_seq"], run.reached), sum(run.windows[c] for c in ("real", "hidden", "gone")),
                 records.count(run.raw, "copy.returned.EAGAIN", run.where, 0), records.count(run.raw, "lost.recursion", run.where) or "exact"]
                for run in self.program_runs()]
        return table(["program", "kernel", "copies", "pages", "windows", "per-MM seq fails for nothing", "real, hidden, gone", "EAGAIN",
                      "short by up to"], rows) \
            + "\n\nVersions, commands and results: [programs.md](programs.md)." if rows else "None was recorded."


def gone_by_errno(cells):
    """{errno: copies that were refused with it when the VMA was taken again, but for mmap_changing}"""
    found = {errno: cells.count(f"causes.{errno}.relock") for errno in ("ENOENT", "EINVAL")}
    return {errno: k for errno, k in found.items() if k}


def by_boot(cells):
    """{(load, writer, check): Cells}, the seeds of one together."""
    return {key: Cells(runs) for key, runs in groups(cells, lambda r: (r.load["name"], writer_name(r), r.load["check"])).items()}


def shares_of_seeds(cells):
    """The per-MM share of each run that has enough windows."""
    return [r.spurious["per_mm_seq"] / r.reached for r in cells if r.reached >= ENOUGH and r.spurious["per_mm_seq"] is not None]


def between(found, form="{}"):
    """4 to 20, or 4 when all are alike."""
    low, high = form.format(min(found)), form.format(max(found))
    return low if low == high else f"{low} to {high}"


def for_nothing(cells):
    """Windows that the per-VMA check fails though the VMA is the same one; `replaced` ones are counted apart. None without per-VMA locks."""
    k = cells.spurious("per_vma_seq")
    return None if k is None else k - cells.classes("replaced")


def seconds(cells):
    """How long each of these ran."""
    return between([records.count(r.raw, "load.seconds", r.where) for r in cells]) + " s"


def spurious_row(cells):
    k, n = cells.spurious("per_mm_seq"), cells.reached
    return n, of_windows(k, n), rare(k, n)


def least_and_most(cells):
    """Of the loads with enough windows."""
    shares = [c.spurious("per_mm_seq") / c.reached for c in cells.by("name").values() if c.reached >= ENOUGH and c.spurious("per_mm_seq") is not None]
    return f"{percent(min(shares))}, {percent(max(shares))}" if len(shares) > 1 else None


def throughputs(pairs):
    """Pages a second beside the writer, each run."""
    return [pages_per_s(a) for a, _ in pairs]


def throughput_ratios(pairs):
    """The same against no writer."""
    return ratios(pairs, pages_per_s)


def p99_ratios(pairs):
    return ratios(pairs, p99)


def ratios(pairs, measure):
    return [measure(a) / measure(b) for a, b in pairs if measure(a) and measure(b)]


def separate(found, step):
    """1 when all of the first lie above all of the second, -1 below, by this factor at least; 0 when neither. Equal ones are not separate."""
    _, a, b = found
    if min(a) > max(b) and min(a) >= step * max(b):
        return 1
    return -1 if min(b) > max(a) and min(b) >= step * max(a) else 0


def by_chance(found):
    """The probability that so many runs of one kind separate into all of one check above all of the other."""
    return 2 / math.comb(len(found[1]) + len(found[2]), len(found[1]))


def numbers(found):
    return ", ".join(f"{x:.2f}" for x in found) or None


def whole(found):
    return ", ".join(f"{x:.0f}" for x in found) or None


def windows_each(windows, copies):
    if not copies:
        return None
    return f"{windows / copies:.3g}" if windows else f"< {3 / copies:.2g}"


def micro(ns):
    return None if ns is None else f"{ns / 1000:.0f}" if ns >= 1e5 else f"{ns / 1000:.3g}"


def returned(cells, name):
    return sum(run.raw["summary"]["copy"]["returned"].get(name, 0) for run in cells)


def longest(run):
    return records.count(run.raw["summary"], "chains.longest", run.where, 0)


def fails_again(chains):
    """Of the tries after a failure, the share that failed too."""
    return 1 - sum(c for _, _, c in chains) / sum(stats.middle(a, b) * c for a, b, c in chains)


def expected_longest(cells):
    """The longest chain of so many, were each try failed independently, as often as a window is; None when none is."""
    n, p = sum(c for run in cells for _, _, c in run.chains), cells.moved / cells.reached if cells.reached else 0
    return 1 + math.log(n) / -math.log(p) if n and 0 < p < 1 else None


def clusters(cells):
    """Is the longest chain longer than the longest of independent failures, by three standard deviations of that (Gumbel's)?"""
    expected = expected_longest(cells)
    return expected is not None and max(map(longest, cells)) > expected + 3 * math.pi / math.sqrt(6) / -math.log(cells.moved / cells.reached)


def pages_per_s(run):
    return records.number(run.raw["summary"], "copy.pages", run.where) / elapsed(run)


def p99(run):
    return records.number(run.result, "latency_ns.p99", run.where, None)


def skipped(found):
    """Cells of a load that cannot run where it was tried."""
    keys = [record["key"] for _, record in found if record["type"] == "cell" and record.get("status") == records.CANNOT_RUN]
    return "Could not run here, for want of what the load needs: " + "; ".join(f"`{key}`" for key in keys) + "." if keys else "Every load could run."
