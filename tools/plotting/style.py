# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""How the figures look: series, axes, title and legend."""
import contextlib
import math
import os
import warnings


@contextlib.contextmanager
def elsewhere():
    """Out of the current directory; where we could not come back to it, nothing in it can be read either."""
    if not os.access(".", os.X_OK):
        yield
        return
    here = os.open(".", os.O_PATH)
    os.chdir("/")
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)


with elsewhere():  # a matplotlibrc there may be anybody's: with text.usetex, LaTeX would run on the names of a record
    import matplotlib

matplotlib.rcdefaults()  # without the user's own too: the same data gives the same figure
matplotlib.use("Agg")
warnings.filterwarnings("ignore", "Glyph .* missing")  # of a name in another script: a box is drawn

from matplotlib import pyplot  # noqa: E402 pylint: disable=wrong-import-position

# The palette of Okabe and Ito.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#000000", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "p", "P", "*", "<", ">", "d", "h")
LINES = ("-", "--", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)))
HATCHES = ("", "////", "....")
MANY = 15  # facets
TIMES = [(1, "1 ns"), (10, "10 ns"), (100, "100 ns"), (1e3, "1 µs"), (1e4, "10 µs"), (1e5, "100 µs"),
         (1e6, "1 ms"), (1e7, "10 ms"), (1e8, "100 ms"), (1e9, "1 s"), (1e10, "10 s"), (1e11, "100 s")]
pyplot.rcParams.update({
    "font.size": 8, "axes.grid": True, "axes.axisbelow": True, "grid.color": "0.85", "grid.linewidth": 0.5,
    "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
    "svg.hashsalt": "uffdretry",
    "lines.markersize": 4, "lines.linewidth": 1, "hatch.linewidth": 0.5, "text.parse_math": False})


def series(n):
    """The look of the n-th series. The first dozen differ."""
    return {"linestyle": LINES[n % len(LINES)], "marker": MARKERS[n % len(MARKERS)],
            "color": COLOURS[n % len(COLOURS)]}


def named(ax, name, n):
    """The series in the legend, without a point."""
    ax.plot([], [], label=name, **series(n))


def point(ax, x, y, n, low=None, high=None):
    """A share with its bar; without one, y is an upper bound: an open mark with an arrow."""
    look = {**series(n), "linestyle": ""}
    if low is None:
        look["markerfacecolor"] = "white"
        ax.errorbar([x], [y], yerr=[0.45 * y], uplims=True, linewidth=0.7, **look)
        return
    bars = [[max(y - low, 0)], [max(high - y, 0)]]  # rounding puts an end of 1 on its wrong side
    ax.errorbar([x], [y], yerr=bars, capsize=2, elinewidth=0.7, **look)


def bars(n):
    """The look of the n-th part of a sum."""
    return {"facecolor": COLOURS[n % len(COLOURS)], "edgecolor": "black", "linewidth": 0.3,
            "hatch": HATCHES[n // len(COLOURS) % len(HATCHES)]}


def facets(n, height=2.3):
    """A grid of n axes, three in a row."""
    columns = min(n, 3)
    rows = math.ceil(n / columns)
    size = (max(2.6 * columns + 1.2, 6.8), height * rows + 0.9)
    figure, axes = pyplot.subplots(rows, columns, figsize=size, squeeze=False, sharey=True)
    axes = list(axes.flat)
    for unused in axes[n:]:
        unused.set_axis_off()
    return figure, axes[:n]


def first(names):
    """As many as can be drawn, and what the title says of the others."""
    return names[:MANY], "" if len(names) <= MANY else f"; the first {MANY} of {len(names)} loads"


def label_left(axes, name):
    """The same quantity for all facets: named at the first of each row."""
    for ax in axes[::3]:
        ax.set_ylabel(name)


def finish(figure, title, note, axes, ncol=4):
    """The title and what is drawn above, one legend for all axes below."""
    handles = {}
    for ax in axes:
        handles.update(dict(zip(*reversed(ax.get_legend_handles_labels()))))
    inch, rows = figure.get_size_inches()[1], math.ceil(len(handles) / ncol)
    above = {"x": 0.5, "ha": "center", "va": "top", "in_layout": False}
    figure.text(s=title, y=1 - 0.08 / inch, fontsize=10, weight="bold", **above)
    figure.text(s=note, y=1 - 0.28 / inch, **above)
    top = 0.34 + 0.14 * (1 + note.count("\n"))
    figure.tight_layout(rect=(0, (0.1 + 0.17 * rows) / inch, 1, 1 - top / inch))
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="lower center", ncol=ncol,
                      handlelength=3.2)
    return figure


def time_axes(axes, emulated):
    """The same logarithmic axis of window lengths for all. emulated: the record says so."""
    for ax in axes:
        ax.set_xscale("log")
    low, high = min(ax.get_xlim()[0] for ax in axes), max(ax.get_xlim()[1] for ax in axes)
    shown = [(ns, name) for ns, name in TIMES if low <= ns <= high]
    shown = shown[::max(1, math.ceil(len(shown) / 8))]
    for ax in axes:
        ax.set_xticks([ns for ns, _ in shown], [name for _, name in shown])
        ax.set_xticks([], minor=True)
        ax.set_xlim(low, high)
    axes[-1].set_xlabel("length of the window" + (" (emulated)" if emulated else ""))


def percent_axis(ax):
    ax.set_yscale("log")
    ax.set_ylim(2e-6, 1.3)
    ticks = {1e-5: "0.001%", 1e-4: "0.01%", 1e-3: "0.1%", 1e-2: "1%", 0.1: "10%", 1: "100%"}
    ax.set_yticks(list(ticks), list(ticks.values()))
    ax.set_yticks([], minor=True)
