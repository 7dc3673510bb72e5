# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The figure of a sweep: needless EAGAIN against the rate of writers. See tools/plotting/figures.py."""
import stats
from records import COMPARED, groups, main_kernel
from style import (facets, finish, first, label_left, named, percent_axis, point, series)

NO_WRITER = 0.3  # where a rate of 0 is drawn on a logarithmic axis
BOUND = ("bars: the least and the most of several runs, or the 95 % interval of one\n"
         "open marks with an arrow: none seen, 95 % upper bound")


def name_of(run):
    return run.load["name"]


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
    loads, rest = first(list(groups([r for r in cells if r.load["rate"] != "0"], name_of)))
    if not loads:
        return None
    figure, axes = facets(len(loads))
    for ax, load in zip(axes, loads):
        of_load = [r for r in cells if name_of(r) == load]
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
