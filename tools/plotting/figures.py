# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The figures. Each takes runs (records.py) and returns a matplotlib figure, or None without data.

title: what follows from the figure; without it the title says what is drawn.
"""
import dataclasses
import math

import records
import stats
from records import CAUSES, COMPARED, OTHER, final, groups
from style import bars, finish, pyplot, series, time_axes

PATCHED = {"per_mm": "per-MM check", "per_vma": "per-VMA check"}  # kernels without the merged check
FLOOR = 1e-6
BINS = 120  # of a time axis
MILLION = 1e6
FILES = 3  # columns of a figure
RESULTS = 8  # rows of the rates

# json.md has the words.
CAUSE_NAMES = {
    "entry_mmap_changing": "event pending when the call began",
    "lock_mmap_changing": "event raised before the first lock",
    "relock_mmap_changing": "event raised in the window",
    "vma_lock": "VMA's read lock refused",
    "snapshot": "this kernel's check found a change",
    "pte": "page table was gone",
    "short_copy": "short copy",
    "unknown": "unknown: a fact was lost",
    OTHER: "causes that this program does not know",
}


# --- where the numbers come from ------------------------------------------------------------------

def distinct(word, values):
    """"kernel 7.3", "kernels 7.1, 7.3", or nothing when no value is known."""
    values = sorted(set(filter(None, values)))
    shown = ", ".join(values[:3]) + (f" and {len(values) - 3} more" if len(values) > 3 else "")
    return [f"{word}{'s' if len(values) > 1 else ''} {shown}".strip()] if values else []


def caption(runs):
    """Kernel, plan, date and windows; "emulated" where the record says it."""
    parts = distinct("kernel", (r.kernel for r in runs)) + distinct("plan", (r.plan for r in runs))
    days = sorted(set(filter(None, (r.date for r in runs))))
    parts += [" to ".join(dict.fromkeys([days[0], days[-1]]))] if days else []
    windows = sum(r.total for r in runs)
    parts += [f"{windows} window{'' if windows == 1 else 's'}"]
    return ", ".join(parts + ["emulated"] * any(r.emulated for r in runs))


# --- over time ------------------------------------------------------------------------------------

@dataclasses.dataclass
class Span:
    """Intervals that follow each other, as one."""
    begin: float  # seconds since the first one
    end: float
    elapsed: float
    total: int
    reached: int
    spurious: dict
    causes: dict

    def per_s(self, n):
        return n / self.elapsed


def span_of(runs, start):
    spurious = {c: sum(r.spurious[c] or 0 for r in runs) for c in COMPARED
                if any(r.spurious[c] is not None for r in runs)}
    causes = {c: sum((r.causes or {}).get(c, 0) for r in runs) for c in CAUSE_NAMES}
    return Span(runs[0].begin - start, runs[-1].time - start, sum(r.elapsed for r in runs),
                sum(r.total for r in runs), sum(r.reached for r in runs), spurious, causes)


def spans_of(runs):
    """At most BINS spans of the intervals of one file, and these intervals; none of fewer than two."""
    chosen = sorted((r for r in runs if r.kind == "interval" and r.elapsed > 0), key=lambda r: r.time)
    if len(chosen) < 2:
        return [], []
    step = math.ceil(len(chosen) / BINS)
    parts = [chosen[n:n + step] for n in range(0, len(chosen), step)]
    return [span_of(part, chosen[0].begin) for part in parts], chosen


def columns(runs, rows, height, shows):
    """A column of axes for each file in which a span shows something: the figure, [(axes from above, spans)],
    and the note below the title. None without such a file."""
    found = [(file, *spans_of(of_file)) for file, of_file in groups(runs, lambda r: r.file).items()]
    found = [(file, spans, chosen) for file, spans, chosen in found if any(map(shows, spans))]
    if not found:
        return None
    shown = found[:FILES]
    figure, axes = pyplot.subplots(rows, len(shown), figsize=(max(6.8, 2.65 * len(shown) + 1), height), squeeze=False,
                                   sharex="col", sharey="row")
    for (file, spans, _), column in zip(shown, axes.T):
        seconds_axis(column[-1], spans)
        if len(shown) > 1:
            column[0].set_title(records.printable(file if len(file) <= 30 else f"...{file[-27:]}"))
    notes = [span_note(spans, chosen) for _, spans, chosen in shown]
    if len(found) > FILES:
        notes.append(f"the first {FILES} of {len(found)} files")
    note = caption([r for _, _, chosen in shown for r in chosen]) + "\n" + "; ".join(notes)
    return figure, [(list(column), spans) for (_, spans, _), column in zip(shown, axes.T)], note


def seconds_axis(ax, spans):
    """Seconds, minutes or hours since the first interval."""
    unit, name = next((unit, name) for unit, name in ((1, "s"), (60, "minutes"), (3600, "hours"))
                      if unit == 3600 or spans[-1].end < 600 * unit)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value / unit:g}")
    ax.set_xlim(0, spans[-1].end)
    ax.set_xlabel(f"time since the first interval began, {name}")


def span_note(spans, chosen):
    each = sum(s.elapsed for s in spans) / len(spans)
    merged = f", drawn as {len(spans)}" if len(chosen) > len(spans) else ""
    return f"{len(chosen)} intervals{merged} of {each:.3g} s on average"


def eagain_figure(runs, title=""):
    found = columns(runs, 1, 3.4, lambda span: any(span.causes.values()))
    if not found:
        return None
    figure, shown, note = found
    causes = [c for c in CAUSE_NAMES if any(s.causes[c] for _, spans in shown for s in spans)]
    for (ax,), spans in shown:
        below = [0] * len(spans)
        for n, cause in enumerate(causes):
            heights = [s.per_s(s.causes[cause]) for s in spans]
            ax.bar([s.begin for s in spans], heights, [s.end - s.begin for s in spans], below, align="edge",
                   label=CAUSE_NAMES[cause], **bars(n))
            below = [a + b for a, b in zip(below, heights)]
        ax.grid(axis="x", visible=False)
    shown[0][0][0].set_ylabel("calls with EAGAIN, a second")
    return finish(figure, title or "UFFDIO_COPY calls that failed with EAGAIN, by cause", note,
                  [axes[0] for axes, _ in shown], 2)


def time_figure(runs, title=""):
    found = columns(runs, 2, 4.2, lambda span: span.total)
    if not found:
        return None
    figure, shown, note = found
    for (above, below), spans in shown:
        rates = [s.per_s(s.total) for s in spans]
        above.step([0] + [s.end for s in spans], rates[:1] + rates, where="pre", color="black")
        for n, (check, name) in enumerate(COMPARED.items()):
            points = [((s.begin + s.end) / 2, 100 * s.spurious[check] / s.reached) for s in spans
                      if s.reached and check in s.spurious]
            if points:
                below.plot(*zip(*points), label=name, **series(n), markevery=max(1, len(points) // 12))
    above, below = shown[0][0]
    above.set_ylabel("windows/s")
    above.set_ylim(bottom=0)
    needless = any(any(s.spurious.values()) for _, spans in shown for s in spans)
    below.set_ylim(0, below.get_ylim()[1] if needless else 1)
    below.set_ylabel("needless, % of\nchecked windows")
    return finish(figure, title or "Retry windows, and those that a check would fail needlessly",
                  f"{note}; shadow verdicts", [axes[1] for axes, _ in shown])


# --- window durations -----------------------------------------------------------------------------

def octaves(histogram):
    """[(low, high, count)] with a bucket for each power of two, as in the text report."""
    sums = {}
    for low, _, n in histogram:
        octave = max(low, 1).bit_length() - 1
        sums[octave] = sums.get(octave, 0) + n
    return [(1 << octave, 2 << octave, n) for octave, n in sorted(sums.items()) if n]


def windows_figure(runs, title=""):
    chosen = final(runs)
    merged = {c: octaves(stats.merge(r.durations[c] for r in chosen)) for c in records.CLASSES}
    merged = {c: found for c, found in merged.items() if found}
    if not merged:
        return None
    figure, axes = pyplot.subplots(len(merged), 1, figsize=(6.8, 0.75 * len(merged) + 1.3), sharex=True,
                                   squeeze=False)
    axes = list(axes.flat)
    for ax, (name, found) in zip(axes, merged.items()):
        lows, highs, counts = zip(*found)
        ax.bar(lows, counts, [high - low for low, high in zip(lows, highs)], align="edge", **bars(6))
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
        ax.yaxis.set_major_locator(pyplot.MaxNLocator(3, integer=True, min_n_ticks=1))
        windows = sum(counts)
        ax.text(1, 0.98, f"{windows} window{'' if windows == 1 else 's'}", transform=ax.transAxes,
                ha="right", va="top", fontsize=7)
        ax.margins(y=0.25)
    time_axes(axes, any(r.emulated for r in chosen))
    return finish(figure, title or "Length of retry windows, by class",
                  f"{caption(chosen)}\nwindows in each power of two; each class has its own scale", axes)


# --- per copy -------------------------------------------------------------------------------------

def rates_of(runs):
    """[(name, n a million copies, whether that is only a bound)]; what is not known has no row."""
    copies = sum(r.copies for r in runs)
    # What was lost could be what is counted in a row.
    windows_known = not any(r.lost or r.rehooked for r in runs)
    calls_known = windows_known and not any(r.hidden for r in runs)
    results = stats.sums(r.returned for r in runs)
    results.pop("ok", None)
    eagain = results.pop("EAGAIN", 0)
    rows = [("failed with EAGAIN", eagain, calls_known)]
    most = sorted(results.items(), key=lambda row: -row[1])[:RESULTS]
    rows += [(f"failed with {name}", n, calls_known) for name, n in most if n]
    rows += [("retry windows", sum(r.total for r in runs), windows_known)]
    for check, name in COMPARED.items():
        known = [r.spurious[check] for r in runs]
        if None not in known:
            rows.append((f"{name}: would fail needlessly", sum(known), windows_known))
    return [(name, MILLION * (n or 3) / copies, not n) for name, n, known in rows if n or known]


def rates_figure(runs, title=""):
    chosen = [r for r in final(runs) if r.copies]
    if not chosen:
        return None
    rows = rates_of(chosen)
    figure, ax = pyplot.subplots(figsize=(6.8, 0.3 * len(rows) + 1.6))
    for y, (name, value, bound) in enumerate(reversed(rows)):
        ax.plot([value], [y], "o", color="#0072B2", markerfacecolor="white" if bound else "#0072B2", zorder=3)
        if bound:
            ax.annotate("", (value / 1.8, y), (value, y), arrowprops={"arrowstyle": "->", "color": "#0072B2"})
        ax.annotate(f"{'< ' if bound else ''}{rate_text(value)}", (value, y), (6, 0), textcoords="offset points",
                    va="center", fontsize=7)
    ax.set_yticks(range(len(rows)), [name for name, _, _ in reversed(rows)])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xscale("log")
    values = [value for _, value, _ in rows]
    ax.set_xlim(min(values) / 4, max(values) * 6)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.12g}")
    ax.set_xlabel("per million calls of UFFDIO_COPY (logarithmic)")
    copies = sum(r.copies for r in chosen)
    return finish(figure, title or "Failed copies, retry windows and needless EAGAIN, per million copies",
                  f"{caption(chosen)}, {copies} copies\nopen mark with an arrow: none seen, 95 % upper bound", [ax])


def rate_text(value):
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


# --- writers --------------------------------------------------------------------------------------

def writers_figure(runs, title=""):
    chosen, sums = final(runs), {}
    for writer in (w for r in chosen for w in r.writers):
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
    ax.set_xlabel("windows with such a writer, once for each process")
    ax.grid(axis="y", visible=False)
    ax.set_xlim(0, 1.12 * max(map(sum, sums.values())) or 1)
    ax.xaxis.set_major_locator(pyplot.MaxNLocator(integer=True))
    return finish(figure, title or "Who held mmap_lock for write in windows",
                  caption(chosen), [ax])


# --- chains ---------------------------------------------------------------------------------------

def chains_figure(runs, title=""):
    chosen = [r for r in final(runs) if not r.load or r.load["what"] != "replace"]  # fail unregistered
    by_name = groups(chosen, chain_label)
    found = {name: stats.merge(r.chains for r in same) for name, same in by_name.items()}
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
                  f"{caption([r for name in drawn for r in by_name[name]])}\n"
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
        return run.kernel or run.where
    name, what, rate, check = (run.load[key] for key in ("name", "what", "rate", "check"))
    kernel = PATCHED.get(check, check) if run.kernel == "permm" else run.kernel
    return f"{kernel}: {name}, " + ("its own writers" if what == "own" else f"{what} {rate}/s")


FIGURES = {"eagain": eagain_figure, "rates": rates_figure, "time": time_figure, "windows": windows_figure,
           "writers": writers_figure, "chains": chains_figure}
