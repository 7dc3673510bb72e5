# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The figures. Each takes runs (records.py) and returns a matplotlib figure, or None without data.

title: what follows from the figure; without it the title says what is drawn.
"""
import records
import stats
from records import COMPARED, groups, main_kernel
from style import (facets, finish, first, label_left, named, percent_axis, point, pyplot, series,
                   time_axes)

PATCHED = {"per_mm": "per-MM check", "per_vma": "per-VMA check"}  # kernels without the merged check
NO_WRITER = 0.3  # where a rate of 0 is drawn on a logarithmic axis
FLOOR = 1e-6
FEW = 30  # windows: too few to draw a curve of
BOUND = ("bars: the least and the most of several runs, or the 95 % interval of one\n"
         "open marks with an arrow: none seen, 95 % upper bound")


def load_name(run):
    return run.load["name"] if run.load else run.kernel or run.where


def durations(runs, classes):
    return stats.merge(run.durations[c] for run in runs for c in classes)


# --- needless EAGAIN against writer rate ----------------------------------------------------------

def shares(cells, check):
    """One point an asked rate: (writes made a second, the share, its bar or None when none was seen)."""
    by_rate = groups(cells, lambda r: r.load["rate"]).values()
    for same in sorted(by_rate, key=lambda same: same[0].rate):
        runs = [(run.spurious[check], run.reached) for run in same if run.reached]
        if not runs or None in (k for k, _ in runs):
            continue
        x, k, n = sum(r.rate for r in same) / len(same), *map(sum, zip(*runs))
        if not k:
            yield x, stats.interval(k, n)[1], None
            continue
        found = [k / n for k, n in runs]
        yield x, sum(found) / len(found), (min(found), max(found)) if len(found) > 1 else stats.interval(k, n)


def draw_shares(ax, cells, check, n):
    beside = 1.15 ** (n - 1)  # so that the checks do not hide each other
    found = [(max(x, NO_WRITER) * beside, y, bar) for x, y, bar in shares(cells, check)]
    named(ax, COMPARED[check], n)
    seen = [(x, y) for x, y, bar in found if bar]
    if seen:
        ax.plot(*zip(*seen), **{**series(n), "marker": ""})
    for x, y, bar in found:
        point(ax, x, y, n, *(bar or ()))


def rate_figure(runs, title=""):
    kernel = main_kernel(runs)
    cells = [r for r in runs if r.load and r.kernel == kernel]
    cells = [r for r in cells if r.load["what"] in ("none", "unrelated")]
    loads, rest = first(list(groups([r for r in cells if r.load["rate"] != "0"], load_name)))
    if not loads:
        return None
    figure, axes = facets(len(loads))
    for ax, load in zip(axes, loads):
        of_load = [r for r in cells if load_name(r) == load]
        for n, check in enumerate(COMPARED):
            draw_shares(ax, of_load, check, n)
        ax.set_xscale("log")
        ax.set_xticks([NO_WRITER, 10, 100, 1e3, 1e4], ["none", "10", "100", "1k", "10k"])
        ax.set_xticks([], minor=True)
        ax.set_xlim(0.2, 5e4)
        ax.set_title(load)
        ax.set_xlabel("writes/s made")
        percent_axis(ax)
    label_left(axes, "would fail needlessly, % of windows")
    return finish(figure, title or "Needless EAGAIN against the rate of writers elsewhere",
                  f"kernel {kernel}, shadow verdicts{rest}\n{BOUND}", axes)


# --- window durations -----------------------------------------------------------------------------

def draw_cdf(ax, histogram, name, n):
    whole, seen, xs, ys = stats.total(histogram), 0, [], []
    for low, high, amount in histogram:
        xs += [max(low, 1), max(high, 1)]
        ys += [seen / whole, (seen + amount) / whole]
        seen += amount
    ax.plot(xs, ys, label=name, **series(n), markevery=max(1, len(xs) // 6))


def windows_figure(runs, title=""):
    kernel = main_kernel(runs)
    chosen = [r for r in runs if not r.load or r.kernel == kernel]
    chosen = [r for r in chosen if r.kind != "interval"] or chosen
    by_load = groups([r for r in chosen if r.total], load_name)
    names, rest = first(list(by_load))
    if not names:
        return None
    figure, axes = facets(len(names))
    for ax, name in zip(axes, names):
        ax.set_title(name)
        for n, c in enumerate(records.CLASSES):
            histogram = durations(by_load[name], [c])
            if stats.total(histogram) >= FEW:
                draw_cdf(ax, histogram, c, n)
        ax.set_ylim(0, 1.02)
    time_axes(axes)
    label_left(axes, "share as long or shorter")
    where = f"kernel {kernel}, " if kernel else ""
    return finish(figure, title or "Length of windows by class",
                  f"{where}all rates together{rest}; classes with {FEW} windows or more", axes, 6)


# --- writers --------------------------------------------------------------------------------------

def writers_figure(runs, title=""):
    final = [r for r in runs if r.kind != "interval"] or runs
    sums = {}
    for writer in (w for r in final for w in r.writers):
        sums.setdefault(writer.op, [0, 0])[writer.covers] += writer.windows
    if not sums:
        return None
    ops = sorted(sums, key=lambda op: sum(sums[op]))[-15:]
    elsewhere, covering = zip(*(sums[op] for op in ops))
    figure, ax = pyplot.subplots(figsize=(6.8, 0.28 * len(ops) + 1.5))
    ax.barh(ops, elsewhere, color="#56B4E9", edgecolor="black", linewidth=0.5, label="elsewhere")
    ax.barh(ops, covering, left=elsewhere, color="#E69F00", edgecolor="black", linewidth=0.5,
            hatch="////", label="range covers the destination")
    for y, op in enumerate(ops):
        ax.text(sum(sums[op]), y, f" {sum(sums[op])}", va="center", fontsize=7)
    ax.set_xlabel("windows with such a writer")
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.12)
    return finish(figure, title or "Who held mmap_lock for write in windows",
                  f"{sum(r.total for r in final)} windows", [ax])


# --- chains ---------------------------------------------------------------------------------------

def chains_figure(runs, title=""):
    final = [r for r in runs if r.kind != "interval"]
    final = [r for r in final if not r.load or r.load["what"] != "replace"]  # fail unregistered
    found = groups(final, chain_label).items()
    found = {name: stats.merge(r.chains for r in same) for name, same in found}
    found = {name: of for name, of in found.items() if stats.total(of) >= 10 and of[-1][1] > 1}
    drawn = sorted(found, key=lambda name: -stats.total(found[name]))[:8]
    if not drawn:
        return None
    figure, ax = pyplot.subplots(figsize=(6.8, 3 + 0.2 * len(drawn)))
    for n, name in enumerate(drawn):
        draw_chains(ax, found[name], name, n)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(bottom=0.3 / max(stats.total(found[name]) for name in drawn))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(lambda value, _: "")
    ax.set_xlabel("failures in a row of one page, at least")
    ax.set_ylabel("share of chains")
    return finish(figure, title or "Failures in a row of one page",
                  "marks: measured; thin lines: independent failures with the same mean", [ax], 1)


def draw_chains(ax, chains, name, n):
    whole = left = stats.total(chains)
    xs, ys = [], []
    for low, _, amount in chains:
        xs.append(max(low, 1))
        ys.append(left / whole)
        left -= amount
    ax.plot(xs, ys, label=f"{name}, {whole} chains", **series(n))
    ks, p = range(1, int(max(xs)) + 1)[:2000], stats.failing_again(chains)
    ax.plot(ks, [max(stats.geometric(p, k), FLOOR) for k in ks], color=series(n)["color"],
            alpha=0.5, linewidth=0.5)


def chain_label(run):
    if not run.load:
        return load_name(run)
    name, what, rate, check = (run.load[key] for key in ("name", "what", "rate", "check"))
    kernel = PATCHED.get(check, check) if run.kernel == "permm" else run.kernel
    return f"{kernel}: {name}, " + ("its own writers" if what == "own" else f"{what} {rate}/s")


# --- time -----------------------------------------------------------------------------------------

def time_figure(runs, title=""):
    spans = [r for r in runs if r.kind == "interval" and r.elapsed > 0]
    if len(spans) < 2:
        return None
    start = min(r.time for r in spans)
    xs = [r.time - start for r in spans]
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(6.8, 4.2), sharex=True)
    above.step(xs, [r.total / r.elapsed for r in spans], where="pre", color="black")
    above.set_ylabel("windows/s")
    above.set_ylim(bottom=0)
    for n, (check, name) in enumerate(COMPARED.items()):
        shown = [(x, r.spurious[check] / r.reached) for x, r in zip(xs, spans)
                 if r.reached and r.spurious[check] is not None]
        if shown:
            below.plot(*zip(*shown), label=name, **series(n), markevery=max(1, len(shown) // 12))
    below.set_ylabel("needless, share of windows")
    below.set_xlabel("seconds since the first interval")
    below.set_ylim(bottom=0)
    kernel = f", kernel {spans[0].kernel}" if spans[0].kernel else ""
    return finish(figure, title or "Windows, and needless EAGAIN by check, over time",
                  f"{len(spans)} intervals{kernel}", [below])


FIGURES = {
    "rate": rate_figure, "windows": windows_figure, "writers": writers_figure,
    "chains": chains_figure, "time": time_figure,
}
