# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The tables of docs/evidence/evidence.md and mail.txt. TABLES and PLAIN have each by its name.

A table is a function of Data that returns (head, rows). None in a row is unknown or does not apply.
"""
import math

import native_times
import records
from cells import RATES
from data import Cells, longest, p99, pages_per_s, writer
from records import COMPARED
from stats import (ENOUGH, failing_again, longest_of, merge, middle, model, percent, quantile,
                   share, short_share, total)

COLUMNS = 7  # at most
NEEDLESS = "per-MM seq would fail needlessly"
CHANGING = ("entry_mmap_changing", "lock_mmap_changing", "relock_mmap_changing")
CAUSES = CHANGING + ("vma_lock", "snapshot", "pte", "short_copy", "unknown")
REASONS = ("range", "flags", "prot", "policy", "name")
LENGTHS = (("below 50 µs", 0, 50e3), ("50 to 200 µs", 50e3, 200e3),
           ("200 µs and more", 200e3, math.inf))  # ns


# --- cells ----------------------------------------------------------------------------------------

def micro(ns):
    return None if ns is None else f"{ns / 1000:.0f}" if ns >= 1e5 else f"{ns / 1000:.3g}"


def between(found, form="{}"):
    """4 to 20, or 4 when all are alike."""
    low, high = form.format(min(found)), form.format(max(found))
    return low if low == high else f"{low} to {high}"


def span(shares):
    """The least and the most share of several loads; None of one, and when all are 0."""
    several = len(shares) > 1 and max(shares) > 0
    return f"{percent(min(shares))} to {percent(max(shares))}" if several else None


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


def at_most(k, n):
    """A share that is a bound, and so has no interval; None of few."""
    return percent(min(k / n, 1)) if n >= ENOUGH else None


def each(n, copies):
    return f"{n / copies:.2g}" if n and copies else None


def with_sum(rows):
    """The rows and their sum: all but the first column are counts."""
    return [*rows, ["all", *map(sum, zip(*(row[1:] for row in rows)))]] if rows else []


# --- how often ------------------------------------------------------------------------------------

def checks(data):
    """Needless EAGAIN by check and by what the writers touch."""
    of = {"elsewhere": data.elsewhere, **data.touched.by_what()}
    rows = [[name, *(cells.share(check) for cells in of.values())]
            for check, name in COMPARED.items()]
    return (["would fail needlessly, by writer", *of],
            [*rows, ["windows", *(cells.reached for cells in of.values())]])


def rates(data):
    rows = []
    for rate in RATES:
        cells = data.swept.where(rate=rate)
        if cells:
            made = between([c.writes for c in cells.by_load().values()], "{:.0f}")
            rows.append([rate, made, cells.reached, cells.share("per_mm_seq"),
                         span(cells.shares("per_mm_seq"))])
    return ["writes/s asked", "made", "windows", NEEDLESS, "by load, least to most"], rows


def own(data):
    """Loads that resemble programs, with writers of this project's choice."""
    rows = []
    for load, cells in data.own.by_load().items():
        done = cells.count("copy.returned.ok")
        rows.append([f"`{load}`", f"{cells.writes:.0f}", handler(cells), done, cells.total,
                     each(cells.total, done), cells.share("per_mm_seq")])
    return ["load", "writes/s", "process of the handler", "copies that succeeded", "all windows",
            "windows/copy", NEEDLESS], rows


def hot(data):
    """The same of the loads that are swept."""
    rows = []
    for load, cells in Cells(r for r in data.main if r.load["what"] != "own").by_load().items():
        done = cells.count("copy.returned.ok")
        rows.append([f"`{load}`", handler(cells), done, cells.total, each(cells.total, done),
                     cells.share("per_mm_seq")])
    return ["load", "process of the handler", "copies that succeeded", "all windows",
            "windows/copy", NEEDLESS], rows


def programs(data):
    """Other projects' programs."""
    counters = "copy.calls", "copy.pages", "windows.total", "copy.returned.EAGAIN", "lost.recursion"
    rows = [[f"`{run.load['name']}`", *(records.count(run.raw, c, run.where, 0) for c in counters)]
            for run in data.programs]
    return (["program", "copies", "pages", "all windows", "EAGAIN", "skipped BPF runs"],
            with_sum(rows))


def sweep(data):
    """Writers elsewhere, with the model of independent writes: two write sections a write."""
    rows = []
    for load, of in data.swept.by_load().items():
        still = of.where(rate="0").durations()
        for cells in of.by_writer().values():
            n, rate = cells.reached, cells[0].load["rate"]
            modelled = still and rate != "0" and n >= ENOUGH
            expected = model(still, 2 * cells.writes) / total(still) if modelled else None
            rows.append([f"`{load}`, {'none' if rate == '0' else rate}", f"{cells.writes:.0f}", n,
                         cells.share("per_mm_seq"), seeds(cells), expected and percent(expected),
                         f"{cells.moved / n / expected:.2f}" if expected else None])
    return ["load, writes/s asked", "made", "windows", NEEDLESS, "each seed", "model",
            "measured/model"], rows


def seeds(cells):
    """The per-MM share of each run, when there are several with enough windows."""
    found = [percent(r.spurious["per_mm_seq"] / r.reached) for r in cells if r.reached >= ENOUGH]
    return ", ".join(found) if len(found) > 1 else None


def touched(data):
    """Writers that touch the destination."""
    rows = []
    for (load, name), cells in data.touched.by_writer().items():
        other = [cells.count(f"tolerated_reasons.{reason}") or 0 for reason in ("prot", "policy")]
        rows.append([f"`{load}`, {name}", f"{cells.writes:.0f}", cells.reached,
                     cells.share("per_mm_seq"), cells.share("per_vma_seq"),
                     cells.classes("replaced"), sum(other)])
    return ["load, writer asked", "writes/s made", "windows", NEEDLESS,
            "per-VMA seq, `replaced` included", "`replaced`", "protection or policy changed"], rows


def others(data):
    """Other stock kernels."""
    rows = []
    for kernel, of in data.others.by_kernel().items():
        for (load, name), cells in of.by_writer().items():
            rows.append([f"{kernel}: `{load}`, {name}", cells.count("copy.pages"), cells.reached,
                         cells.share("per_mm_seq") or "no mm_lock_seq"])
    return ["kernel: load, writer", "pages", "windows", NEEDLESS], rows


def odd(data):
    """Windows that began while a writer held mmap_lock. The counter moves when it unlocks."""
    rows = []
    for load, cells in data.untouched.by_load().items():
        if cells.needless("per_mm_seq") and cells.total >= ENOUGH:
            rows.append([f"`{load}`", cells.reached, cells.needless("per_mm_seq"),
                         cells.count("odd_start") or 0])
    return (["load, writers elsewhere or its own", "windows", NEEDLESS,
             "began while a writer held mmap_lock", "would pass if it were ignored, at most"],
            [[*row, at_most(row[3], row[2])] for row in with_sum(rows)])


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
        rows += [[what, n, share(uffd, n)]] if n else []
    return ["writers of the load", "writers seen in windows", "calls on a userfaultfd"], rows


# --- the checks' verdicts -------------------------------------------------------------------------

VERDICTS = (  # classes, and the verdicts of snapshot, per-VMA and per-MM
    (("quiet",), ("pass", "pass", "pass")), (("unrelated",), ("pass", "pass", "EAGAIN")),
    (("locked", "tolerated", "replaced", "hidden"), ("pass", "EAGAIN", "EAGAIN")),
    (("false_alarm", "real"), ("EAGAIN", "EAGAIN", "EAGAIN")))


def classes(data):
    cells = data.main
    rows = [[", ".join(f"`{name}`" for name in names), *said, cells.classes(*names),
             share(cells.classes(*names), cells.reached)] for names, said in VERDICTS]
    return (["classes", "snapshot", "per-VMA seq", "per-MM seq", "windows", "share"],
            [*rows, ["all", None, None, None, cells.reached, None]])


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
    for name, cells in {**parts, "benign or replace": data.touched, "all": data.main}.items():
        tries, slow = cells.count("relock.total"), cells.count("relock.mmap_lock")
        if tries:
            waits = cells.histogram("hist_ns.relock_mmap_lock")
            rows.append([name, share(cells.locked, cells.reached), tries, slow, share(slow, tries),
                         *(micro(quantile(waits, q)) for q in (0.5, 0.99))])
    return ["load, writer", "VMA write-locked", "relocks, failed ones too", "by mmap_lock", "share",
            "relock by mmap_lock takes, p50, µs (emulated)", "p99"], rows


def changed(data):
    """Destinations that really changed in the window."""
    rows = []
    replace, benign = data.main.where(what="replace"), data.main.where(what="benign")
    parts = {f"`{load}`, {name}": cells for (load, name), cells in replace.by_writer().items()}
    parts |= {"replace, all": replace, "benign, all": benign, "its own, all": data.own}
    for name, cells in parts.items():
        n, really = (cells.classes("gone", *of) for of in (records.REACHED, ("real", "hidden")))
        if n:
            rows.append([name, n, cells.classes("real", "hidden"), cells.classes("gone"),
                         listed(cells, "causes", ("ENOENT", "EINVAL"), ".relock"),
                         cells.classes("false_alarm"), share(really, n)])
    return ["load, writer", "windows, `gone` included", "`real`, `hidden`", "`gone`",
            "the relock failed with", "`false_alarm`", "really changed"], rows


def hugetlb(data):
    rows = []
    for load, cells in data.main.by_load().items():
        kinds = {c: cells.count(f"by_kind.hugetlb.{c}") or 0 for c in records.REACHED}
        n = sum(kinds.values())
        if n:
            moved, write_locked = n - kinds["quiet"], sum(kinds[c] for c in records.LOCKED)
            rows.append([f"`{load}`", n, moved, share(moved, n),
                         cells.count("begin_early.seq_moved"), write_locked])
    return ["load", "hugetlb windows", "mm_lock_seq moved", "share",
            "moved between begin and later bound", "VMA write-locked"], rows


# --- how long -------------------------------------------------------------------------------------

def lengths(data):
    rows = [[f"`{load}`", cells.reached,
             *(micro(quantile(cells.durations(), q)) for q in (0.5, 0.9, 0.99, 0.999))]
            for load, cells in data.main.by_load().items() if cells.reached]
    return ["load", "windows", "p50, µs (emulated)", "p90", "p99", "p99.9"], rows


def by_length(data):
    """Which windows met a writer, by their length."""
    rows = []
    for name, low, high in LENGTHS:
        k, n = (sum(c for a, b, c in data.elsewhere.durations(of) if low <= middle(a, b) < high)
                for of in (records.REACHED[1:], records.REACHED))
        rows.append([name, n, k, share(k, n)])
    return ["length (emulated), writers elsewhere", "windows", "mm_lock_seq moved", "share"], rows


# --- on the kernel that has the per-MM check ------------------------------------------------------

def failing(cells):
    """{(load, writer): Cells} without `replace`, which fails with ENOENT under any check."""
    return cells.where(what=("unrelated", "benign")).by_writer()


def retries(data):
    """The result of the next copy of a page whose copy failed."""
    rows = []
    for (load, name), cells in failing(data.per_mm).items():
        tried, done = cells.count("chains.retried"), cells.count("chains.succeeded")
        if tried:
            rows.append([f"`{load}`, {name}", cells.count("chains.reissued"),
                         cells.count("chains.reopened"), tried, done, share(done, tried)])
    return ["load, writer", "copies re-issued", "windows that these opened",
            "not refused by mmap_changing", "of these succeeded without a window", "share"], rows


def pairs(cells, load, name):
    """[(with this writer, without writers)] of the same seed and boot."""
    quiet = {r.load["seed"]: r for r in cells.where(load=load, what="none")}
    return [(r, quiet[r.load["seed"]]) for r in cells.where(load=load)
            if writer(r) == name and r.load["seed"] in quiet]


def ratio(of, measure):
    """The measure beside the writer over that without, on average of the pairs."""
    found = [measure(a) / measure(b) for a, b in of if measure(a) and measure(b)]
    return f"{sum(found) / len(found):.2f}" if found else None


def speeds(of):
    return [pages_per_s(a) for a, _ in of]


def over(a, b):
    """The mean of a over that of b."""
    return f"{sum(a) / len(a) / (sum(b) / len(b)):.2f}" if a and any(b) else None


def cost(data):
    """The same load, writer and seed under both checks."""
    rows = []
    for load, name in failing(data.per_mm):
        both = {"per-MM": pairs(data.per_mm, load, name),
                "snapshot": pairs(data.snapshot, load, name)}
        for check, of in both.items() if all(both.values()) else ():
            rows.append([f"`{load}`, {name}", check, Cells(a for a, _ in of).returned("EAGAIN"),
                         ", ".join(f"{x:.0f}" for x in speeds(of)),
                         over(speeds(of), speeds(both["snapshot"])), ratio(of, pages_per_s),
                         ratio(of, p99)])
    return ["load, writer", "check", "EAGAIN", "pages/s (emulated), each run", "over snapshot",
            "pages/s over no writer", "p99 latency over no writer"], rows


def chains(data):
    """Failures in a row of one page."""
    rows = []
    for (load, name), cells in failing(data.per_mm).items():
        found = merge(r.chains for r in cells)
        if found:
            p = cells.moved / cells.reached if cells.reached else 0
            expected = longest_of(total(found), p)
            rows.append([f"`{load}`, {name}", total(found), max(map(longest, cells)),
                         expected and f"{expected:.0f}", percent(p), percent(failing_again(found)),
                         cells.count("chains.open")])
    return ["load, writer", "chains", "longest", "longest if independent", "windows that failed",
            "tries after a failure that failed", "open at the end"], rows


# --- beside the check -----------------------------------------------------------------------------

def eagain(data):
    """EAGAIN on stock kernels, by cause."""
    rows = []
    for kernel, of in data.stock.by_kernel().items():
        for load, cells in of.by_load().items():
            changing = sum(cells.count(f"eagain_causes.{c}") or 0 for c in CHANGING)
            if cells.returned("EAGAIN"):
                rows.append([f"{kernel}: `{load}`", cells.returned("EAGAIN"), changing,
                             listed(cells, "eagain_causes", CAUSES)])
    return ["kernel: load", "EAGAIN", "by mmap_changing", "causes"], rows


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
        ["runs whose self-test passed", passed],
        ["seconds a run", between(seconds)],
        ["all windows", data.all.total],
        ["anomalies", data.all.count("anomalies")],
        ["windows behind a share, at least", ENOUGH],
    ]


def native(_data):
    """Of another recording: see native_times.py."""
    return native_times.summary(native_times.read())


# --- of the mail ----------------------------------------------------------------------------------

def mail_shares(data):
    """Rates and writers with the least and the most of several loads; then a row a load."""
    parts = {f"{'no' if rate == '0' else rate} writes/s": data.swept.where(rate=rate)
             for rate in RATES}
    parts |= {f"{what} writers": cells for what, cells in data.touched.by_what().items()}
    parts |= {f"{load} load": cells for load, cells in data.own.by_load().items()}
    rows = []
    for name, cells in parts.items():
        if cells.reached:
            rows.append([name, cells.reached, *(
                span(cells.shares(check)) or short_share(cells.needless(check), cells.reached)
                for check in COMPARED)])
    return ["writer or load", "windows", "per-MM", "per-VMA", "snapshot"], rows


def mail_retries(data):
    rows = []
    for (load, name), cells in failing(data.per_mm).items():
        tried, done = cells.count("chains.retried"), cells.count("chains.succeeded")
        if tried:
            both = (speeds(pairs(of, load, name)) for of in (data.per_mm, data.snapshot))
            rows.append([f"{load.removesuffix(' swept')}, {name}", tried, percent(done / tried),
                         max(map(longest, cells)), over(*both)])
    return ["per-MM kernel: load, writer", "retries", "at once", "longest", "pages/s"], rows


def mail_counts(data):
    rows = [["runs recorded", len(data.all)], ["windows", data.all.total]]
    for *_, needless, _, before in odd(data)[1][-1:]:
        rows += [["needless EAGAIN under per-MM", needless],
                 ["    a writer was in at the begin, at most", before]]
    for name, n, k, _ in by_length(data)[1]:
        rows += [[f"beside writers elsewhere, {name}", n], ["    these met a writer", k]]
    for _, calls, _, windows, *_ in programs(data)[1][-1:]:
        rows += [["copies of all programs of others", calls], ["    their windows", windows]]
    return ["what was counted", "number"], rows


TABLES = {f.__name__: f for f in (
    checks, rates, own, hot, programs, sweep, touched, others, odd, writers, uffd_writers, classes,
    locked, relock, changed, hugetlb, lengths, by_length, retries, cost, chains, eagain, kernels,
    measured, native)}
PLAIN = {f.__name__: f for f in (mail_shares, mail_retries, mail_counts)}


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


def plain(head, rows):
    """The same for a mail, in ASCII, aligned with spaces."""
    lines = [[cell.replace("µ", "u") for cell in line] for line in shown(head, rows)]
    first, *widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join([name.ljust(first), *map(str.rjust, cells, widths)]).rstrip()
                     for name, *cells in lines)
