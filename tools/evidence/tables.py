# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The tables of docs/evidence/evidence.md. TABLES has each by its name.

A table is a function of Data that returns (head, rows). None in a row is unknown or does not apply.
"""
import math

import native_programs
import native_times
import records
from cells import RATES
from data import Cells, longest, p99, pages_per_s, writer, writes
from stats import (between, failing_again, longest_of, merge, middle, percent, quantile,
                   total)

COLUMNS = 7  # at most
NEEDLESS = "per-MM seq would fail needlessly"
REASONS = ("range", "flags", "prot", "policy", "name")
LENGTHS = (("below 50 µs", 0, 50e3), ("50 to 200 µs", 50e3, 200e3),
           ("200 µs and more", 200e3, math.inf))  # ns


# --- cells ----------------------------------------------------------------------------------------

def micro(ns):
    return None if ns is None else f"{ns / 1000:.0f}" if ns >= 1e5 else f"{ns / 1000:.3g}"


def listed(cells, path, names, rest=""):
    """range 3, prot 4: those of the counters path.NAMErest that are not 0."""
    found = {name: cells.count(f"{path}.{name}{rest}") for name in names}
    return ", ".join(f"{name} {k}" for name, k in found.items() if k) or None


def handler(cells):
    """Whether another process than the owner of the destination copies."""
    external = cells.count("external")
    if not cells.total:
        return None
    return "another" if external == cells.total else "both" if external else "this one"


def made(cells):
    """Writes a second, of single runs."""
    return between([round(writes(run)) for run in cells])


def with_sum(rows):
    """The rows and their sum: all but the first column are counts."""
    return [*rows, ["all", *map(sum, zip(*(row[1:] for row in rows)))]] if rows else []


# --- how often ------------------------------------------------------------------------------------

def calls(run):
    return records.count(run.raw["summary"], "copy.calls", run.where)


def per_million(cells):
    """Needless failures in a million copies, of single runs: [number]."""
    return [1e6 * run.spurious["per_mm_seq"] / calls(run) for run in cells]


def each(cells):
    return [run.total / calls(run) for run in cells]


def copies(of):
    """{name: Cells}: what the per-MM check would cost a copy."""
    rows = [[name, made(cells), handler(cells), sum(map(calls, cells)), between(each(cells), "{:.2g}"),
             between(per_million(cells), "{:.0f}"), cells.share("per_mm_seq")]
            for name, cells in of.items()]
    return ["load", "writes/s", "the handler is in", "copies", "windows/copy",
            "needless EAGAIN per million copies", "of windows"], rows


def own(data):
    """Loads that resemble programs, with writers of this project's choice."""
    return copies({f"`{load}`": cells for load, cells in data.own.by_load().items()})


def swept(data):
    """The loads whose only writer is the swept one."""
    return copies({f"`{load}`, {name}": cells
                   for (load, name), cells in data.elsewhere.by_writer().items()})


def programs(data):
    """Other projects' programs."""
    counters = "copy.calls", "copy.pages", "windows.total", "copy.returned.EAGAIN", "lost.recursion"
    rows = [[f"`{run.load['name']}`", *(records.count(run.raw, c, run.where, 0) for c in counters)]
            for run in data.programs]
    return (["program", "copies", "pages", "all windows", "EAGAIN", "skipped BPF runs"],
            with_sum(rows))


def sweep(data):
    """Writers elsewhere."""
    rows = []
    for load, of in data.swept.by_load().items():
        for rate in RATES:
            cells = of.where(rate=rate)
            if cells:
                rows.append([f"`{load}`", rate, made(cells), len(cells), cells.reached,
                             cells.share("per_mm_seq"), cells.share("per_vma_seq")])
    return ["load", "writes/s asked", "made", "runs", "windows", NEEDLESS, "per-VMA seq"], rows


def touched(data):
    """Writers that touch the destination."""
    rows = []
    for (load, name), cells in data.touched.by_writer().items():
        rows.append([f"`{load}`, {name}", made(cells), cells.reached,
                     *(cells.share(check) for check in ("per_mm_seq", "per_vma_seq", "snapshot")),
                     cells.classes("replaced")])
    return ["load, writer asked", "writes/s made", "windows", NEEDLESS, "per-VMA seq", "snapshot",
            "`replaced`"], rows


def odd(data):
    """Windows that began while a writer held mmap_lock. The counter moves when it unlocks."""
    rows = [[f"`{load}`, {name}", cells.needless("per_mm_seq"), cells.count("odd_start") or 0]
            for (load, name), cells in data.untouched.by_writer().items()
            if cells.needless("per_mm_seq")]
    return ["load, writer", NEEDLESS, "began while a writer held mmap_lock"], rows


def writers(data):
    """The holders of mmap_lock for write in windows, where no writer touches the destination."""
    found = {}
    for w in (w for run in data.untouched for w in run.writers):
        found.setdefault(w.op, [0, 0])[w.covers] += w.windows
    return (["writer", "windows, call on another range", "windows, call on the destination"],
            [[op, *pair] for op, pair in sorted(found.items(), key=lambda item: -sum(item[1]))])


def uffd_writers(data):
    rows = []
    for what, cells in data.main.by_what().items():
        seen = [w for run in cells for w in run.writers]
        n, uffd = (sum(w.windows for w in seen if w.op.startswith(op)) for op in ("", "UFFDIO_"))
        rows += [[what, n, uffd]] if n else []
    return ["writers of the load", "writers seen in windows", "calls on a userfaultfd"], rows


# --- the checks' verdicts -------------------------------------------------------------------------

VERDICTS = (  # classes, and the verdicts of snapshot, per-VMA and per-MM
    (("quiet",), ("pass", "pass", "pass")), (("unrelated",), ("pass", "pass", "EAGAIN")),
    (("locked", "tolerated", "replaced", "hidden"), ("pass", "EAGAIN", "EAGAIN")),
    (("false_alarm", "real"), ("EAGAIN", "EAGAIN", "EAGAIN")))


def classes(data):
    cells = data.main
    rows = [[", ".join(f"`{name}`" for name in names), *said, cells.classes(*names)]
            for names, said in VERDICTS]
    return (["classes", "snapshot", "per-VMA seq", "per-MM seq", "windows"],
            [*rows, ["all", None, None, None, cells.reached]])


def locked(data):
    """What had changed in windows in which the destination's VMA was write-locked."""
    rows = [[what, cells.locked, cells.classes("locked"), cells.classes("tolerated"),
             listed(cells, "tolerated_reasons", REASONS), cells.classes("replaced"),
             cells.classes("hidden", "false_alarm", "real")]
            for what, cells in (*data.main.by_what().items(), ("all", data.main)) if cells.locked]
    return ["writers", "VMA write-locked", "nothing differed", "`tolerated`", "differed in",
            "`replaced`", "`hidden`, `false_alarm`, `real`"], rows


def relock(data):
    """Relocks that fell back to mmap_lock (--relock)."""
    rows = []
    parts = {f"`{load}`, {name}": cells for (load, name), cells in data.touched.by_writer().items()}
    for name, cells in {**parts, "no writer, elsewhere or its own": Cells([*data.swept, *data.own])}.items():
        tries, slow = cells.count("relock.total"), cells.count("relock.mmap_lock")
        if tries:
            waits = cells.histogram("hist_ns.relock_mmap_lock")
            of = cells.spread(lambda run: records.count(run.raw["summary"], "relock.mmap_lock", run.where, 0),
                              lambda run: records.count(run.raw["summary"], "relock.total", run.where, 0))
            rows.append([name, tries, slow, of, *(micro(quantile(waits, q)) for q in (0.5, 0.99))])
    return ["load, writer", "relocks, failed ones too", "by mmap_lock", "share",
            "relock by mmap_lock takes, p50, µs (emulated)", "p99"], rows


def changed(data):
    """Destinations that really changed in the window."""
    rows = []
    replace, benign = data.main.where(what="replace"), data.main.where(what="benign")
    parts = {f"`{load}`, {name}": cells for (load, name), cells in replace.by_writer().items()}
    parts |= {"benign, all": benign, "its own, all": data.own}
    for name, cells in parts.items():
        really, n = (("gone", *of) for of in (("real", "hidden"), records.REACHED))
        if cells.classes(*n):
            of = cells.spread(*(lambda run, names=names: sum(run.windows[c] for c in names)
                                for names in (really, n)))
            rows.append([name, cells.classes(*n), cells.classes("real", "hidden"), cells.classes("gone"),
                         listed(cells, "causes", ("ENOENT", "EINVAL"), ".relock"),
                         cells.classes("false_alarm"), of])
    return ["load, writer", "windows, `gone` included", "`real`, `hidden`", "`gone`",
            "the relock failed with", "`false_alarm`", "really changed"], rows


def of_hugetlb(run, *names):
    return sum(records.count(run.raw["summary"], f"by_kind.hugetlb.{c}", run.where, 0) for c in names)


def hugetlb(data):
    rows = []
    for load, cells in data.main.by_load().items():
        n = sum(of_hugetlb(run, *records.REACHED) for run in cells)
        if n:
            moved = cells.spread(lambda run: of_hugetlb(run, *records.REACHED[1:]),
                                 lambda run: of_hugetlb(run, *records.REACHED))
            rows.append([f"`{load}`", n, sum(of_hugetlb(run, *records.REACHED[1:]) for run in cells), moved,
                         cells.count("begin_early.seq_moved"),
                         sum(of_hugetlb(run, *records.LOCKED) for run in cells)])
    return ["load", "hugetlb windows", "mm_lock_seq moved", "share",
            "moved between begin and later bound", "VMA write-locked"], rows


# --- how long -------------------------------------------------------------------------------------

def length(run, q):
    return quantile(Cells([run]).durations(), q)


def lengths(data):
    """Windows without other writers than the load's own."""
    rows = []
    for load, cells in data.main.where(what=("none", "own")).by_load().items():
        runs = [run for run in cells if run.reached]
        if runs:
            rows.append([f"`{load}`", cells.reached, *(
                " to ".join(dict.fromkeys(micro(f(length(run, q) for run in runs)) for f in (min, max)))
                for q in (0.5, 0.9, 0.99))])
    return ["load", "windows", "p50, µs (emulated)", "p90", "p99"], rows


def in_bin(run, names, low, high):
    return sum(n for a, b, n in Cells([run]).durations(names) if low <= middle(a, b) < high)


def by_length(data):
    """Which windows met a writer, by their length."""
    rows = []
    for load, cells in data.elsewhere.where(rate="1000").by_load().items():
        rows.append([f"`{load}`", *(
            cells.spread(lambda run, bounds=bounds: in_bin(run, records.REACHED[1:], *bounds),
                         lambda run, bounds=bounds: in_bin(run, records.REACHED, *bounds))
            for _, *bounds in LENGTHS)])
    return ["mm_lock_seq moved, 1000 writes/s asked", *(name for name, *_ in LENGTHS)], rows


# --- on the kernel that has the checks ------------------------------------------------------------

def failing(data):
    """{(load, writer): Cells} under per-MM, without `replace`, which fails with ENOENT under any check."""
    return data.arms.get("per_mm", Cells()).where(what=("unrelated", "benign")).by_writer()


def retries(data):
    """The result of the next copy of a page whose copy failed."""
    rows = []
    for (load, name), cells in failing(data).items():
        tried, done = cells.count("chains.retried"), cells.count("chains.succeeded")
        if tried:
            of = cells.spread(*(lambda run, what=what: records.count(run.raw["summary"], what, run.where, 0)
                                for what in ("chains.succeeded", "chains.retried")))
            rows.append([f"`{load}`, {name}", cells.count("chains.reissued"),
                         cells.count("chains.reopened"), tried, done, of])
    return ["load, writer", "copies re-issued", "windows that these opened",
            "not refused by mmap_changing", "of these succeeded without a window", "share"], rows


def by_seed(cells):
    return {run.load["seed"]: run for run in cells}


def over(a, b, measure):
    """The measure of the runs a over that of b with the same seed: 0.8 to 0.9; None without pairs."""
    b = by_seed(b)
    found = [measure(run) / measure(b[seed]) for seed, run in by_seed(a).items()
             if seed in b and measure(run) and measure(b[seed])]
    return between(found, "{:.2f}") if found else None


def cost(data):
    """Each check against the snapshot: the same load, writer and seed on the same kernel."""
    rows, snapshot = [], data.arms.get("snapshot", Cells())
    for load, name in failing(data):
        for check in ("per_mm", "per_vma"):
            arm = data.arms.get(check, Cells()).where(load=load)
            beside, quiet = (Cells(r for r in arm if writer(r) == w) for w in (name, "no writer"))
            wanted = Cells(r for r in snapshot.where(load=load) if writer(r) == name)
            control = snapshot.where(load=load, what="none")
            if over(beside, wanted, pages_per_s):
                rows.append([f"`{load}`, {name}", check, len(beside), beside.returned("EAGAIN"),
                             over(beside, wanted, pages_per_s), over(quiet, control, pages_per_s),
                             over(beside, wanted, p99)])
    return ["load, writer", "check", "seeds", "EAGAIN", "pages/s over snapshot",
            "the same without a writer", "p99 latency over snapshot"], rows


def chains(data):
    """Failures in a row of one page."""
    rows = []
    for (load, name), cells in failing(data).items():
        found = merge(r.chains for r in cells)
        if found:
            again = failing_again(found)
            expected = longest_of(total(found), again)
            rows.append([f"`{load}`, {name}", total(found), max(map(longest, cells)),
                         expected and f"{expected:.0f}", cells.share("per_mm_seq"),
                         again_of(cells), cells.count("chains.open")])
    return ["load, writer", "chains", "longest", "longest to expect", "windows that failed",
            "tries after a failure that failed", "open at the end"], rows


def again_of(cells):
    found = [failing_again(run.chains) for run in cells if run.chains]
    return " to ".join(dict.fromkeys(percent(f(found)) for f in (min, max)))


# --- what was measured ----------------------------------------------------------------------------

def kernels(data):
    rows = []
    for of in data.all.by(lambda run: (run.kernel, run.load["check"])).values():
        plan, release = of[0].raw["summary"]["plan"], of[0].raw["kernel"]["release"]
        begin = "exact" if plan["exact"] else "early"
        rows.append([f"`{release}`", of[0].load["check"], f"`{plan['name']}`, {begin}", len(of),
                     of.total, of.classes("undetermined"), of.count("lost.recursion")])
    return ["kernel", "its check", "plan, begin", "runs", "all windows", "undetermined",
            "skipped BPF runs"], rows


def measured(data):
    machine = data.all[0].raw["machine"]
    passed = [run.raw["summary"]["plan"]["self_test"] for run in data.all].count("passed")
    seconds = [records.count(run.raw, "load.seconds", run.where) for run in data.all]
    return ["", "measured"], [
        ["machine", f"QEMU {machine['qemu']}, {machine['accelerator']} (no KVM), "
                    f"{machine['cpus']} CPUs, {machine['memory']} of memory"],
        ["recorded", between([run.raw["date"] for run in data.all])],
        ["loads", len(data.all.by_load())],
        ["runs", len(data.all)],
        ["runs left out", data.left_out],
        ["runs whose self-test passed", passed],
        ["seconds a run", between(seconds)],
        ["all windows", data.all.total],
        ["anomalies", data.all.count("anomalies")],
    ]


def native(_data):
    """Of another recording: see native_times.py."""
    return native_times.summary(native_times.read())


def program_rates(_data):
    """Of another recording: see native_programs.py."""
    found, _ = native_programs.read(native_programs.DATA)
    rows = [[f"`{name}`", native_programs.sections_span(runs)] for name, runs in found.items()]
    return ["program", "write sections/s, least to most"], rows


TABLES = {f.__name__: f for f in (
    native, own, swept, program_rates, programs, sweep, touched, odd, writers, uffd_writers, classes, locked, relock,
    changed, hugetlb, lengths, by_length, retries, cost, chains, kernels, measured)}


# --- as text --------------------------------------------------------------------------------------

def shown(head, rows):
    """Head and rows as text, without columns that are 0 or unknown in all rows."""
    used = [n for n in range(len(head)) if any(row[n] not in (None, 0) for row in rows)]
    if len(used) > COLUMNS:
        raise ValueError(f"a table of {len(used)} columns: {head}")
    return [["-" if row[n] is None else str(row[n]) for n in used] for row in [head, *rows]]


def markdown(head, rows):
    """All but the first column to the right."""
    if not rows:
        return "Nothing in this data."
    head, *rows = shown(head, rows)
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
