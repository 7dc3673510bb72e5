#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Write the tables of docs/evidence/native.md and its figure from what `make evidence-native` recorded.

usage: tools/evidence/native_times.py [--check]
With --check: writes nothing; 1 when the tables or the figure are not what the data says.
"""
import hashlib
import math
import pathlib
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tools"), str(ROOT / "tools/plotting")]

import machines  # noqa: E402 pylint: disable=wrong-import-position
import native_programs  # noqa: E402 pylint: disable=wrong-import-position
import page  # noqa: E402 pylint: disable=wrong-import-position
from records import BadInput, get, groups, read_records  # noqa: E402 pylint: disable=wrong-import-position

DATA = ROOT / "docs/evidence/data/native.jsonl.gz"
PAGE = ROOT / "docs/evidence/native.md"
MODEL = ROOT / "docs/evidence/data/model.jsonl"
FIGURE = ROOT / "docs/evidence/figures/bounds.svg"
MILLION = 1e6
FLOOR = 0.01  # where the figure begins
SOURCES = 6  # of a whole session
DISK = "cold"  # the source whose windows wait for a disk
PLACES = {False: "this process", True: "another process"}
RULE = (0.67, 1.5)  # of the model to the count, agreed before it was measured
JUDGED = (1e-3, 0.1)  # where S (W + D) lies between these


def read(path=DATA):
    """The records of native runs. BadInput if one is something else."""
    found = []
    for where, record in read_records(str(path)):
        if get(record, "type", where, str) != "native":
            raise BadInput(f"{where}: not a native measurement")
        found.append(record)
    return found


def of(records, measure, **members):
    """The records of this kind that have numbers."""
    return [r for r in records if r["measure"] == measure and r["available"] and
            all(r[name] == value for name, value in members.items())]


def counted(run):
    """At most this share of the run's copies met a call. Its copier never pauses, and may fall into step with the writer."""
    return run["overlapping"] / run["calls"]


def at_random(run):
    """A copy that begins at a random moment meets as many calls on average; so at most this share of such copies meets one."""
    return min(1, run["write_calls_per_s"] * (run["copy_ns"]["mean"] + run["write_call_ns"]["mean"]) / 1e9)


def upper(run):
    return max(counted(run), at_random(run))


# --- tables ---------------------------------------------------------------------------------------

def span(values, digits=".1f"):
    """The least and the most of the runs, in the unit of @values."""
    return " to ".join(dict.fromkeys(format(f(values), digits) for f in (min, max)))


def us(values):
    return span([value / 1000 for value in values])


def estimate(runs):
    return us([r["window_estimate_ns"]["mean"] for r in runs]) if any(r["windows"] for r in runs) else "no window"


def window_rows(records, pages):
    names = machines.split(records)
    for source, runs in groups(of(records, "window", pages_per_copy=pages, looked=True), lambda r: r["source"]).items():
        copies = sum(r["dropped_ns"]["count"] for r in runs)
        yield [f"`{source}`", copies, span([r["windows"] / r["dropped_ns"]["count"] for r in runs], ".3g"),
               *machines.each(names, runs, estimate),
               *machines.each(names, runs, lambda of_one: us([r["dropped_ns"]["mean"] for r in of_one])),
               *machines.each(names, runs, lambda of_one: us([r["dropped_ns"]["p99"] for r in of_one]))]


def window_table(records, pages):
    names = machines.split(records)
    return page.table(["source", "copies", "windows/copy", *machines.heads(names, "W, estimated, µs", "ioctl, mean, µs", "ioctl, p99, µs")],
                      window_rows(records, pages))


def call_time(name):
    return lambda runs: us([r["call_ns"][name] for r in runs])


def hold_rows(records):
    names = machines.split(records)
    for call, runs in groups(of(records, "hold"), lambda r: r["call"]).items():
        sides = groups(runs, lambda r: r["beside"])
        alone, beside = sides["nothing"], sides["copier"]
        yield [f"`{call}`", sum(r["call_ns"]["count"] for r in alone), *machines.each(names, alone, call_time("mean")),
               *machines.each(names, alone, call_time("p99")), *machines.each(names, beside, call_time("mean"))]


def hold_table(records):
    names = machines.split(records)
    return page.table(["call", "calls alone", *machines.heads(names, "mean, µs", "p99, µs", "mean beside a copier, µs")], hold_rows(records))


def lower_of(same):
    """In a million copies, of each run: those that surely met a write. None: not known."""
    return None if same[0]["enclosing"] is None else [MILLION * r["enclosing"] / r["calls"] for r in same]


def per_million(bound_of):
    return lambda runs: span([MILLION * bound_of(r) for r in runs], ",.0f")


def overlaps(records):
    """{(source, is the copier elsewhere, asked rate or None): its runs}"""
    runs = [r for r in of(records, "overlap") if r["asked_per_s"] != 0]
    return groups(runs, lambda r: (r["source"], r["elsewhere"], r["asked_per_s"]))


def overlap_rows(records):
    names = machines.split(records)
    for (source, elsewhere, asked), same in sorted(overlaps(records).items(), key=lambda arm: arm[0][:2]):
        lower = lower_of(same)
        made = "" if asked else f" ({span([r['write_calls_per_s'] for r in same], ',.0f')})"
        yield [f"`{source}`", PLACES[elsewhere], f"{asked:,}" if asked else f"max{made}",
               sum(r["calls"] for r in same), *machines.each(names, same, lambda runs: us([r["write_call_ns"]["mean"] for r in runs])),
               "-" if lower is None else span(lower, ",.0f"), *machines.each(names, same, per_million(counted)),
               *machines.each(names, same, per_million(at_random))]


def overlap_table(records):
    names = machines.split(records)
    return page.table(["source", "copier in", "calls/s", "copies", *machines.heads(names, "length of a call, mean, µs"), "at least",
                       *machines.heads(names, "counted", "at random")], overlap_rows(records), words=3)


def bound(percent, outward):
    """Two digits; @outward: math.floor of a lower bound, math.ceil of an upper one."""
    if not percent:
        return "0 %"
    step = 10 ** (math.floor(math.log10(percent)) - 1)
    return f"{outward(round(percent / step, 6)) * step:.6g} %"


def most(runs, disk, bound_of=upper):
    """The most upper bound of these runs from memory, or from disk."""
    uppers = [100 * bound_of(r) for r in runs if (r["source"] == DISK) == disk]
    return bound(max(uppers), math.ceil) if uppers else "-"


def least(runs):
    return bound(min(100 * r["enclosing"] / r["calls"] for r in runs), math.floor)


def by_rate(records):
    """{asked rate or None: its runs}"""
    return groups([r for r in of(records, "overlap") if r["asked_per_s"] != 0], lambda r: r["asked_per_s"])


def summary(records):
    """Head and rows: what evidence.md begins with. The least lower and the most upper bound of any run."""
    names, rows = machines.split(records), []
    for asked, runs in by_rate(records).items():
        known = [r for r in runs if r["enclosing"] is not None]
        rows.append([f"{asked:,}" if asked else "without pause", ", ".join(machines.each(names, known, least)),
                     *(most(runs, disk, bound_of) for disk in (False, True) for bound_of in (counted, at_random)),
                     f'{len(known)}, {sum(r["source"] != DISK for r in runs)}, {sum(r["source"] == DISK for r in runs)}'])
    return ["writer's calls/s", f"at least ({', '.join(names)})", "memory: counted", "memory: at random", "disk: counted", "disk: at random",
            "runs of these"], rows


def session_rows(records):
    for began, runs in sorted(groups(of(records, "overlap"), lambda r: r["run"]["began"]).items()):
        sources = list(dict.fromkeys(r["source"] for r in runs))
        at = by_rate(runs)
        yield [machines.name_of(runs[0]), f"{began[5:10]} {began[11:16]}", "all" if len(sources) == SOURCES else ", ".join(f"`{name}`" for name in sources),
               len({r["run"]["key"].split()[0] for r in runs}), span([float(r["host"]["load"].split()[0]) for r in runs], ".1f"),
               *(most(at[rate], disk) for rate in (100, 1000) for disk in (False, True))]


def session_table(records):
    return page.table(["machine", "began, UTC", "sources", "rounds", "load average", "100/s, memory", "100/s, disk", "1,000/s, memory",
                       "1,000/s, disk"], session_rows(records), words=3)


def program_rates():
    """{program: write sections a second, of all its runs}"""
    programs, _ = native_programs.read(native_programs.DATA)
    return {name: [run["sections_per_s"] for run in runs] for name, runs in programs.items()}


# --- the model and the count, in guests -----------------------------------------------------------

def read_model():
    """The runs of `make check-model` that were kept: {attempt: {cell: its accepted runs}}."""
    runs = [record for _, record in read_records(str(MODEL))]
    return {n: groups([r for r in of_attempt if not r["rejected"]], lambda r: r["cell"])
            for n, of_attempt in groups(runs, lambda r: r["attempt"]).items()}


def left_out(attempt):
    return sum(r["rejected"] for _, r in read_records(str(MODEL)) if r["attempt"] == attempt)


def cell_of(runs):
    """S (W + D) of a cell, and in a million windows the model and the count."""
    windows = sum(r["windows"] for r in runs)
    return (sum(r["x"] for r in runs) / len(runs), MILLION * sum(r["modelled"] for r in runs) / len(runs),
            MILLION * sum(r["counted"] for r in runs) / windows)


def is_within(modelled, counted):
    return counted > 0 and RULE[0] <= modelled / counted <= RULE[1]


def attempt_rows():
    for attempt, cells in read_model().items():
        runs = [r for of_cell in cells.values() for r in of_cell]
        held = sum((r["enclosing"] or 0) <= r["counted"] <= r["overlapping"] for r in runs)
        judged = [cell_of(of_cell)[1:] for of_cell in cells.values() if JUDGED[0] <= cell_of(of_cell)[0] <= JUDGED[1]]
        yield [attempt, len(runs), left_out(attempt), held, len(judged), sum(is_within(*cell) for cell in judged)]


def attempt_table():
    return page.table(["attempt", "runs", "left out", "count between the bounds", "cells judged", "model within 0.67 to 1.5"], attempt_rows())


def model_rows():
    for cell, runs in list(read_model().values())[-1].items():
        _, modelled, counted = cell_of(runs)
        windows = sum(r["windows"] for r in runs)
        lower = "-" if runs[0]["enclosing"] is None else f"{MILLION * sum(r['enclosing'] for r in runs) / windows:,.0f}"
        yield [f"`{cell}`", windows, lower, f"{counted:,.0f}", f"{MILLION * sum(r['overlapping'] for r in runs) / windows:,.0f}",
               f"{modelled:,.0f}", f"{modelled / counted:.2f}"]


def model_table():
    return page.table(["source, copier, calls/s", "windows", "at least", "counted", "at most", "model", "model / count"], model_rows())


def machine_facts(records):
    """{what: measured} of one machine. A key begins with the number of its round."""
    host = records[0]["host"]
    rounds = {len(runs) for runs in groups(of(records, "overlap"), lambda r: r["run"]["key"].split(maxsplit=1)[1]).values()}
    dates = sorted({r["host"]["date"][:10] for r in records})
    return {"processor": f"{host['cpu']}, {host['cpus']} CPUs, {'virtual machine' if host['virtual'] else 'hardware'}",
            "kernel": f"{host['kernel']} ({host['arch']})", "clock": f"{host['clock_source']}, {host['clock_ns']} ns a reading",
            "THP": host["thp"], "boots": len({r["host"]["boot_id"] for r in records}), "rounds": span(list(rounds), "d"),
            "load average at a record": span([float(r["host"]["load"].split()[0]) for r in records], ".2f"),
            "recorded": " to ".join(dict.fromkeys((dates[0], dates[-1]))),
            **{f"mitigation: {name}": said for name, said in host["mitigations"].items() if said != "Not affected"}}


def machine_table(records):
    return machines.table({name: machine_facts(own) for name, own in machines.split(records).items()})


def missing(records):
    """What could not be measured, and why; with the machine if it could on another one."""
    found = {}
    for machine, own in machines.split(records).items():
        for r in own:
            if not r["available"]:
                text = f"`{r.get('source') or r.get('operation')}`{', 16 pages a copy' if r.get('pages_per_copy') == 16 else ''}: {r['why']}"
                found.setdefault(text, {})[machine] = True
    every = len(machines.split(records))
    return page.bullets(sorted(text if len(of) == every else f"{text} ({', '.join(of)})" for text, of in found.items()))


def parts(records):
    return {"summary": page.table(*summary(records)), "sessions": session_table(records), "overlap": overlap_table(records), "attempts": attempt_table(), "model": model_table(),
            "windows": window_table(records, 1), "windows of 16": window_table(records, 16),
            "holds": hold_table(records), "machine": machine_table(records), "missing": missing(records)}


# --- the figure -----------------------------------------------------------------------------------

def mark_programs(ax):
    """A tick at the rate of each program that made a section."""
    marks = sorted((max(rates), name) for name, rates in program_rates().items() if max(rates))
    for n, (rate, name) in enumerate(marks):
        top = (0.02, 0.2)[n % 2]
        ax.plot([rate] * 2, [0.011, top], color="black", linewidth=0.6)
        ax.text(rate, top * 1.2, name, rotation=90, fontsize=6, ha="center", va="bottom")


def bands(records):
    """[source, calls a second, the least lower bound or None, the most upper one]: of all places and runs, in a million copies"""
    runs_of = groups([r for r in of(records, "overlap") if r["asked_per_s"] != 0], lambda r: (r["source"], r["asked_per_s"]))
    for (name, _), runs in runs_of.items():
        lower = lower_of(runs)
        yield name, max(r["write_calls_per_s"] for r in runs), lower and min(lower), max(MILLION * upper(r) for r in runs)


def title(records):
    at_100 = by_rate(records)[100]
    return f"Beside 100 calls a second at most {most(at_100, False)} of windows meet one, from disk {most(at_100, True)}"


def figure(records):
    from style import COLOURS, MARKERS, pyplot  # matplotlib takes a second
    drawn, ax = pyplot.subplots(figsize=(7, 4.6))
    for n, (source_name, cells) in enumerate(groups(bands(records), lambda band: band[0]).items()):
        look = {"color": COLOURS[n], "marker": MARKERS[n], "markersize": 4, "linestyle": "", "linewidth": 0.7}
        ax.plot([], [], markerfacecolor="white", label=source_name, **look)
        for _, rate, lowest, highest in cells:
            rate *= 1.15 ** (n - 2.5)  # so that the sources do not hide each other
            ax.errorbar([rate], [highest], yerr=[0.4 * highest], uplims=True, markerfacecolor="white", **look)
            if lowest:
                ax.errorbar([rate], [lowest], yerr=[0.6 * lowest], lolims=True, **{**look, "marker": "_"})
    for level, name in ((1e3, "0.1 % of windows"), (1e4, "1 % of windows")):
        ax.axhline(level, color="0.4", linewidth=0.8, linestyle="--")
        ax.text(2e4, level * 1.15, name, fontsize=7, color="0.3")
    mark_programs(ax)
    ax.set(xscale="log", yscale="log", xlim=(0.1, 4e6), ylim=(FLOOR, 2e6), xlabel="calls a second that take mmap_lock for write",
           ylabel="needless EAGAIN per million copies with a window")
    ax.set_xticks([10 ** n for n in range(-1, 7)], ["0.1", "1", "10", "100", "1,000", "10,000", "100,000", "1 million"])
    ax.set_yticks([10 ** n for n in range(-2, 7)], ["0.01", "0.1", "1", "10", "100", "1,000", "10,000", "100,000", "1 million"])
    ax.minorticks_off()
    ax.legend(loc="upper left", fontsize=7, title_fontsize=7, ncols=2, title="marks: at most; dashes: at least")
    drawn.suptitle(title(records), fontsize=10, weight="bold")
    drawn.tight_layout()
    return drawn


def source():
    """What the figure is drawn from."""
    data = DATA.read_bytes() + native_programs.DATA.read_bytes() + MODEL.read_bytes()
    return f"data {hashlib.sha256(data).hexdigest()[:16]}"


def differs(found):
    said = PAGE.read_text(encoding="utf-8")
    return page.with_parts(said, found) != said or source() not in FIGURE.read_text(encoding="utf-8")


def main():
    try:
        records = read()
        found = parts(records)
    except BadInput as err:
        print(f"native_times: {err}", file=sys.stderr)
        return 1
    if sys.argv[1:] == ["--check"]:
        return int(differs(found))
    page.update(PAGE, found)
    figure(records).savefig(FIGURE, metadata={"Date": None, "Description": source()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
