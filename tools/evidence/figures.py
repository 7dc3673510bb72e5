# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The figures: each takes runs (records.py) and returns a matplotlib figure, or None when they have nothing for it.

Told apart by line style, marker and hatch, in black and grey: they are printed, and mailed.
"""
import math

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402 pylint: disable=wrong-import-position

import records  # noqa: E402 pylint: disable=wrong-import-position
from sweepdata import RATES, groups, main_kernel  # noqa: E402 pylint: disable=wrong-import-position
import stats  # noqa: E402 pylint: disable=wrong-import-position

STYLES = [("-", "o", "black"), ("--", "s", "0.25"), (":", "^", "0.35"), ("-.", "D", "0.45"), ((0, (5, 1)), "v", "0.1"),
          ((0, (1, 1)), "p", "0.3"), ((0, (3, 1, 1, 1, 1, 1)), "P", "0.5"), ((0, (7, 3)), "*", "0.15"), ((0, (2, 2)), "<", "0.55"),
          ((0, (8, 2, 2, 2)), ">", "0.4"), ((0, (1, 3)), "d", "0.2"), ((0, (4, 4)), "h", "0.6")]
SHOWN_CHECKS = {"per_mm_seq": "per-MM seq", "per_vma_seq": "per-VMA seq", "snapshot": "snapshot"}
PATCHED = {"per_mm": "per-MM check", "per_vma": "per-VMA check"}  # kernels that have another check than the merged one
NO_WRITER = 0.3  # where a rate of 0 is drawn on a logarithmic axis
FLOOR = 1e-6
MANY = 15  # facets
FEW = 30  # windows: too few to draw a curve of
TIMES = [(10 ** 3, "1 µs"), (10 ** 4, "10 µs"), (10 ** 5, "100 µs"), (10 ** 6, "1 ms"), (10 ** 7, "10 ms"), (10 ** 8, "100 ms"),
         (10 ** 9, "1 s"), (10 ** 10, "10 s")]
pyplot.rcParams.update({"font.size": 8, "axes.grid": True, "grid.color": "0.85", "grid.linewidth": 0.5, "legend.frameon": False,
                        "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "uffdretry", "lines.markersize": 4,
                        "lines.linewidth": 1, "hatch.linewidth": 0.5, "text.parse_math": False})


# --- common ----------------------------------------------------------------------------------------------------

def style(n):
    line, marker, grey = STYLES[n % len(STYLES)]
    return {"linestyle": line, "marker": marker, "color": grey}


def first(names):
    """As many as can be drawn, and what the title says of the others."""
    return names[:MANY], "" if len(names) <= MANY else f"; the first {MANY} of {len(names)} loads"


def label(run):
    return run.load["name"] if run.load else run.kernel or run.where


def facets(n, height=2.3):
    """A grid of n axes, three in a row."""
    columns = min(n, 3)
    rows = math.ceil(n / columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(max(2.6 * columns + 1.2, 6.8), height * rows + 0.9), squeeze=False, sharey=True)
    axes = list(axes.flat)
    for unused in axes[n:]:
        unused.set_axis_off()
    return figure, axes[:n]


def finish(figure, title, axes, ncol=4):
    """The title above, one legend for all axes below."""
    handles = {}
    for ax in axes:
        handles.update(dict(zip(*reversed(ax.get_legend_handles_labels()))))
    inch = figure.get_size_inches()[1]
    rows = math.ceil(len(handles) / ncol)
    figure.suptitle(title, fontsize=9, y=1 - 0.08 / inch, va="top").set_in_layout(False)
    top = 0.12 + 0.16 * (1 + title.count("\n"))
    figure.tight_layout(rect=(0, (0.1 + 0.17 * rows) / inch, 1, 1 - top / inch))
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=ncol, handlelength=3.2)
    return figure


def time_axes(axes):
    """The same logarithmic axis for all."""
    for ax in axes:
        ax.set_xscale("log")
    low, high = min(ax.get_xlim()[0] for ax in axes), max(ax.get_xlim()[1] for ax in axes)
    for ax in axes:
        time_axis(ax, low, high)


def time_axis(ax, low, high):
    shown = [(ns, name) for ns, name in TIMES if low <= ns <= high]
    step = max(1, math.ceil(len(shown) / 5))
    ax.set_xticks([ns for ns, _ in shown[::step]], [name for _, name in shown[::step]])
    ax.set_xticks([], minor=True)
    ax.set_xlim(low, high)
    ax.set_xlabel("length of the window (emulated)")


def percent_axis(ax, name):
    ax.set_yscale("log")
    ax.set_ylim(5e-6, 1.3)
    ticks = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]
    ax.set_yticks(ticks, ["0.001%", "0.01%", "0.1%", "1%", "10%", "100%"])
    ax.set_yticks([], minor=True)
    ax.set_ylabel(name)


def durations(runs, classes):
    return stats.merge(run.durations[c] for run in runs for c in classes)


# --- spurious share against writer rate ------------------------------------------------------------------------

def points(cells, spurious):
    """One point an asked rate, its seeds together: (writes made a second, k, n)."""
    for _, same in sorted(groups(cells, lambda r: r.load["rate"]).items(), key=lambda item: item[1][0].rate):
        values = [spurious(run) for run in same]
        if None not in values and sum(r.reached for r in same):
            yield sum(r.rate for r in same) / len(same), sum(values), sum(r.reached for r in same)


def spread(y, low, high):
    """An interval as error bars; rounding puts the end of a share of 0 or 1 on the wrong side of it."""
    return max(y - low, 0), max(high - y, 0)


def draw_shares(ax, cells, spurious, name, n):
    found = list(points(cells, spurious))
    if not found:
        return
    xs = [max(x, NO_WRITER) for x, _, _ in found]
    ys = [k / of if k else stats.interval(k, of)[1] for _, k, of in found]
    bars = [spread(y, *stats.interval(k, of)) if k else (0, 0) for y, (_, k, of) in zip(ys, found)]
    look = style(n)
    ax.plot(xs, ys, **{**look, "marker": ""})
    ax.plot([], [], label=name, **look)  # the legend's
    ax.errorbar(xs, ys, yerr=list(zip(*bars)), fmt="none", ecolor=look["color"], capsize=2, linewidth=0.7)
    for x, y, (_, k, _) in zip(xs, ys, found):
        ax.plot(x, y, marker=look["marker"], color=look["color"], linestyle="", markerfacecolor=look["color"] if k else "white")


def expected(cells):
    """The model's line: the windows of the cell without writers, and writes at each rate, two sections each."""
    still = durations([r for r in cells if r.load["rate"] == "0"], records.REACHED)
    total = sum(n for _, _, n in still)
    rates = sorted({r.rate for r in cells if r.rate > 0})
    if not total or not rates:
        return [], []
    return rates, [stats.model(still, 2 * rate) / total for rate in rates]


def rate_figure(runs):
    """Spurious share against the writer's rate, a line a check, with the model."""
    kernel = main_kernel(runs)
    cells = [r for r in runs if r.load and r.kernel == kernel and r.load["what"] in ("none", "unrelated")]
    loads, rest = first(list(groups([r for r in cells if r.load["rate"] != "0"], lambda r: r.load["name"])))
    if not loads:
        return None
    figure, axes = facets(len(loads))
    for ax, load in zip(axes, loads):
        of_load = [r for r in cells if r.load["name"] == load]
        for n, (check, name) in enumerate(SHOWN_CHECKS.items()):
            draw_shares(ax, of_load, lambda run, check=check: run.spurious[check], name, n)
        ax.plot(*expected(of_load), color="0.6", linewidth=2, alpha=0.7, zorder=0, label="model 1-exp(-rate x window)")
        ax.set_xscale("log")
        ax.set_xticks([NO_WRITER, 10, 100, 1e3, 1e4], ["none", "10", "100", "1k", "10k"])
        ax.set_xticks([], minor=True)
        ax.set_xlim(0.2, 5e4)
        ax.set_title(load)
        ax.set_xlabel("writes a second (made)")
        percent_axis(ax, "")
    for ax in axes[::3]:
        ax.set_ylabel("spurious EAGAIN, share of windows")
    return finish(figure, f"Spurious share by check; kernel {kernel}, writers elsewhere in the mm{rest}.\n"
                  "Shadow verdicts; bars: 95 % intervals; open marks: none seen, bound 3/N", axes)


# --- window durations ------------------------------------------------------------------------------------------

def draw_cdf(ax, histogram, name, n):
    total, seen, xs, ys = sum(c for _, _, c in histogram), 0, [], []
    for low, high, amount in histogram:
        xs += [max(low, 1), max(high, 1)]
        ys += [seen / total, (seen + amount) / total]
        seen += amount
    ax.plot(xs, ys, label=name, **style(n), markevery=max(1, len(xs) // 6))


def windows_figure(runs):
    """How long windows are, a line a class."""
    kernel = main_kernel(runs)
    chosen = [r for r in runs if not r.load or r.kernel == kernel]
    chosen = [r for r in chosen if r.kind != "interval"] or chosen
    by_label = groups([r for r in chosen if r.total], label)
    names, rest = first(list(by_label))
    if not names:
        return None
    figure, axes = facets(len(names))
    for ax, name in zip(axes, names):
        ax.set_title(name)
        for n, c in enumerate(records.CLASSES):
            histogram = durations(by_label[name], [c])
            if sum(amount for _, _, amount in histogram) >= FEW:
                draw_cdf(ax, histogram, c, n)
        ax.set_ylim(0, 1.02)
    time_axes(axes)
    for ax in axes[::3]:
        ax.set_ylabel("share of the class's windows")
    return finish(figure, f"Length of windows by class, of classes with {FEW} windows or more, all rates together" + (f"; kernel {kernel}" if kernel else "") + rest,
                  axes, 6)


# --- the model, bucket by bucket -------------------------------------------------------------------------------

def moved_by_length(run):
    """Windows by decade and third of it: (middle in ns, moved, all)."""
    found = {}
    for c in records.REACHED:
        for low, high, n in run.durations[c]:
            where = math.floor(3 * math.log10(max(stats.middle(low, high), 1)))
            moved, total = found.get(where, (0, 0))
            found[where] = (moved + (n if c != "quiet" else 0), total + n)
    return [(10 ** ((where + 0.5) / 3), moved, total) for where, (moved, total) in sorted(found.items()) if total >= FEW]


def model_figure(runs):
    """The share of windows in which mm_lock_seq moved against their length, with what independent writes would give."""
    kernel = main_kernel(runs)
    cells = [r for r in runs if r.load and r.kernel == kernel and r.load["what"] == "unrelated" and r.rate]
    by_load = groups(cells, lambda r: r.load["name"])
    names, rest = first([name for name in by_load if any(moved_by_length(r) for r in by_load[name])])
    if not names:
        return None
    figure, axes = facets(len(names))
    for rate in sorted({r.load["rate"] for r in cells}, key=rate_order):
        axes[0].plot([], [], label=f"asked {rate}/s", **style(rate_order(rate)))  # the legend's
    for ax, name in zip(axes, names):
        for rate, same in groups(by_load[name], lambda r: r.load["rate"]).items():
            found = moved_by_length(same[0]) if len(same) == 1 else moved_by_length(joined(same))
            draw_lengths(ax, found, sum(r.rate for r in same) / len(same), rate_order(rate))
        ax.set_title(name)
        percent_axis(ax, "")
    time_axes(axes)
    for ax in axes[::3]:
        ax.set_ylabel("mm_lock_seq moved, share of windows")
    return finish(figure, f"Does 1-exp(-rate x length) hold? Kernel {kernel}; lines: the model{rest}.\n"
                  "Marks: measured, with 95 % intervals; open marks: none seen, bound 3/N", axes, 5)


def rate_order(rate):
    return RATES.index(rate) - 1 if rate in RATES else len(RATES)


def draw_lengths(ax, found, rate, n):
    if not found:
        return
    look = style(n)
    xs = [x for x, _, _ in found]
    ax.plot(xs, [max(-math.expm1(-2 * rate * x / 1e9), FLOOR) for x in xs], color=look["color"], linestyle=look["linestyle"])
    none = [(x, stats.interval(k, total)[1]) for x, k, total in found if not k]
    if none:
        ax.plot(*zip(*none), marker=look["marker"], color=look["color"], linestyle="", markerfacecolor="white")
    seen = [(x, k / total, *stats.interval(k, total)) for x, k, total in found if k]
    if seen:
        bars = [spread(y, low, high) for _, y, low, high in seen]
        ax.errorbar([x for x, *_ in seen], [y for _, y, *_ in seen], yerr=list(zip(*bars)), fmt=look["marker"], color=look["color"],
                    capsize=1.5, linewidth=0.7)


def joined(runs):
    """One run of several, as far as durations go."""
    class Joined:  # pylint: disable=too-few-public-methods
        durations = {c: stats.merge(r.durations[c] for r in runs) for c in records.CLASSES}
    return Joined


# --- writers ---------------------------------------------------------------------------------------------------

def writers_figure(runs):
    """Who wrote to the mm while windows were open."""
    final = [r for r in runs if r.kind != "interval"] or runs
    sums = {}
    for writer in (w for r in final for w in r.writers):
        key = (writer.op, writer.covers)
        sums[key] = sums.get(key, 0) + writer.windows
    if not sums:
        return None
    ops = sorted({op for op, _ in sums}, key=lambda op: sums.get((op, False), 0) + sums.get((op, True), 0))[-15:]
    figure, ax = pyplot.subplots(figsize=(6.5, 0.28 * len(ops) + 1.5))
    elsewhere = [sums.get((op, False), 0) for op in ops]
    covering = [sums.get((op, True), 0) for op in ops]
    ax.barh(ops, elsewhere, color="0.8", edgecolor="black", linewidth=0.5, label="elsewhere")
    ax.barh(ops, covering, left=elsewhere, color="white", edgecolor="black", linewidth=0.5, hatch="////", label="range covers the destination")
    for y, total in enumerate(a + b for a, b in zip(elsewhere, covering)):
        ax.text(total, y, f" {total}", va="center", fontsize=7)
    ax.set_xlabel("windows with such a writer")
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.12)
    return finish(figure, f"Who moved mm_lock_seq in windows ({sum(r.total for r in final)} windows)", [ax])


# --- chains ----------------------------------------------------------------------------------------------------

def chains_figure(runs):
    """Failures in a row of one page, against a geometric distribution with the same share of single failures."""
    final = [r for r in runs if r.kind != "interval" and not (r.load and r.load["what"] == "replace")]  # those find no registered VMA
    found = {name: stats.merge(r.chains for r in same) for name, same in groups(final, chain_label).items()}
    found = {name: chains for name, chains in found.items() if chain_count(chains) >= 10 and chains[-1][1] > 1}
    shown = sorted(found, key=lambda name: -chain_count(found[name]))[:8]
    if not shown:
        return None
    figure, ax = pyplot.subplots(figsize=(6.8, 3 + 0.2 * len(shown)))
    for n, name in enumerate(shown):
        draw_chains(ax, found[name], name, n)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(bottom=0.3 / max(chain_count(found[name]) for name in shown))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(lambda value, _: "")
    ax.set_xlabel("failures in a row of one page, at least")
    ax.set_ylabel("share of chains")
    return finish(figure, "Chains of failed copies; thin lines: geometric with the same mean", [ax], 1)


def draw_chains(ax, chains, name, n):
    total = left = chain_count(chains)
    xs, ys = [], []
    for low, _, amount in chains:
        xs.append(max(low, 1))
        ys.append(left / total)
        left -= amount
    ax.plot(xs, ys, label=f"{name}, {total} chains", **style(n))
    p = 1 - total / sum(stats.middle(a, b) * c for a, b, c in chains)
    ks = range(1, int(max(xs)) + 1)[:2000]
    ax.plot(ks, [max(stats.geometric(p, k), FLOOR) for k in ks], color=style(n)["color"], alpha=0.5, linewidth=0.5)


def chain_count(chains):
    return sum(n for _, _, n in chains)


def chain_label(run):
    if not run.load:
        return label(run)
    writers = "its own writers" if run.load["what"] == "own" else f"{run.load['what']} {run.load['rate']}/s"
    kernel = PATCHED.get(run.load["check"], run.load["check"]) if run.kernel == "permm" else run.kernel
    return f"{kernel}: {run.load['name']}, {writers}"


# --- time ------------------------------------------------------------------------------------------------------

def time_figure(runs):
    """A long run: windows a second, and what a per-MM check would have failed of them."""
    spans = [r for r in runs if r.kind == "interval" and r.elapsed > 0]
    if len(spans) < 2:
        return None
    start = min(r.time for r in spans)
    xs = [r.time - start for r in spans]
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(6.5, 4.2), sharex=True)
    above.step(xs, [r.total / r.elapsed for r in spans], where="pre", color="black")
    above.set_ylabel("windows a second")
    above.set_ylim(bottom=0)
    for n, (check, name) in enumerate(SHOWN_CHECKS.items()):
        shown = [(x, r.spurious[check] / r.reached) for x, r in zip(xs, spans) if r.reached and r.spurious[check] is not None]
        if shown:
            below.plot(*zip(*shown), label=name, **style(n), markevery=max(1, len(shown) // 12))
    below.set_ylabel("spurious, share of windows")
    below.set_xlabel("seconds since the first interval")
    below.set_ylim(bottom=0)
    return finish(figure, f"{len(spans)} intervals" + (f", kernel {spans[0].kernel}" if spans[0].kernel else ""), [below])


FIGURES = {
    "rate": rate_figure, "windows": windows_figure, "model": model_figure, "writers": writers_figure, "chains": chains_figure,
    "time": time_figure,
}
