#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The benchmark's numbers: collect a run's, show them as a table, hold them against the budgets or an earlier run."""
import datetime
import json
import pathlib
import sys

DATA = pathlib.Path(__file__).resolve().parent.parent / "docs/evidence/data"

# What the tool may add (docs/evidence/overhead.md): times what empty programs add, and at most so many instructions.
BUDGETS = {
    ("copy_mapped", "traced"): (1.3, 480),
    ("copy_window", "traced"): (1.6, 1700),
    ("mmap_munmap", "untraced"): (1.1, 490),
    ("minor_fault", "traced"): (0, 0),
    ("getppid", "traced"): (0, 0),
}
PEER_SHARE = 0.5
# Two measurements of the same thing differ by as much: this share of the operation, and no less than so many instructions.
NOISE_SHARE, NOISE_MIN = 0.002, 2


def collect(directory, kernels):
    """One object of what the guests left in DIRECTORY/KERNEL."""
    result = {"type": "bench", "schema": 1, "date": datetime.date.today().isoformat(), "kernels": {}}
    for kernel in kernels:
        guest = pathlib.Path(directory) / kernel
        off, again, costs = {}, {}, {}
        for line in (guest / "costs").read_text().splitlines():
            row = json.loads(line)
            config, op = row["config"], row["op"]
            if config == "off":
                off[op] = row["cost"]
            elif config == "off-again":
                again.setdefault(op, []).append(row["cost"])
            else:
                costs.setdefault(config, {})[op] = row["cost"]
        # What nothing attached costs is measured between all others: the middle one is compared with.
        base = {op: sorted([off[op]] + again[op])[(len(again[op]) + 1) // 2] for op in off}
        result["kernels"][kernel] = {
            "release": (guest / "release").read_text().strip(),
            "hooks": (guest / "hooks").read_text().splitlines(),
            "detached": base,
            "spread": {op: round(max([off[op]] + again[op]) - min([off[op]] + again[op]), 1) for op in off},
            "added": {c: {op: round(v - base[op], 1) for op, v in ops.items()} for c, ops in costs.items()},
        }
    json.dump(result, sys.stdout, indent=1)
    print()


def noise(kernel, op):
    return max(NOISE_SHARE * kernel["detached"][op], kernel["spread"][op], NOISE_MIN)


def budget(kernel, op, config):
    """What OP may cost under CONFIG, or None."""
    if (op, config) not in BUDGETS or "floor" not in kernel["added"]:
        return None
    times, most = BUDGETS[op, config]
    return max(0, min(times * kernel["added"]["floor"][op], most))


def verdict(kernel, op, config):
    """Does OP under CONFIG keep its budget? In words; empty without one."""
    allowed = budget(kernel, op, config)
    if allowed is None:
        return ""
    over = kernel["added"][config][op] - allowed
    if over <= noise(kernel, op):
        return "%.0f: holds" % allowed
    return "%.0f: missed by %.0f (%.0f %%)" % (allowed, over, 100 * over / allowed if allowed else 100)


def peer_verdict(kernel, op, config):
    peer = kernel["added"].get("peer" if config == "traced" else "peer-untraced")
    if not peer:
        return ""
    allowed = max(0, PEER_SHARE * peer[op])
    over = kernel["added"][config][op] - allowed
    return "%.0f: holds" % allowed if over <= noise(kernel, op) else "%.0f: missed by %.0f" % (allowed, over)


def cell(kernel, op, config):
    added, op_cost = kernel["added"][config][op], kernel["detached"][op]
    return "0" if abs(added) <= noise(kernel, op) else "%.0f (%.1f %%)" % (added, 100 * added / op_cost)


CONFIGS = {
    "traced": "traced", "untraced": "not traced", "events": "`--events`", "floor": "floor", "peer": "bpftrace",
    "peer-untraced": "bpftrace, not traced", "traced:--no-writers": "`--no-writers`",
    "untraced:--no-writers": "not traced, `--no-writers`", "traced:--witness": "`--witness`",
    "untraced:--witness": "not traced, `--witness`",
}


def costs_table(kernel):
    """Markdown: what each configuration adds to each operation."""
    configs = [c for c in CONFIGS if c in kernel["added"]]
    rows = [["operation", "costs"] + [CONFIGS[c] for c in configs], ["---"] + ["---:"] * (len(configs) + 1)]
    for op in kernel["detached"]:
        rows.append(["`%s`" % op, "%.0f" % kernel["detached"][op]] + [cell(kernel, op, c) for c in configs])
    return "\n".join("| %s |" % " | ".join(row) for row in rows)


def budget_table(kernel):
    """Markdown: each budget, and whether it is kept."""
    rows = [["operation", "", "added", "budget", "at most half of bpftrace's"], ["---"] * 5]
    for op in kernel["detached"]:
        for config in ("traced", "untraced"):
            own, peer = verdict(kernel, op, config), peer_verdict(kernel, op, config)
            if own or peer:
                rows.append(["`%s`" % op, CONFIGS[config], cell(kernel, op, config), own, peer])
    return "\n".join("| %s |" % " | ".join(row) for row in rows)


def man_table(kernel):
    """mdoc: the operations' costs and what tracing adds, in a list of columns."""
    lines = ['.Bl -column "fork_exec_10000_vmas" "detached" "traced 100000 (10.0 %)"',
             ".It operation Ta costs Ta traced Ta not traced"]
    for op in kernel["detached"]:
        lines.append(".It %s Ta %.0f Ta %s Ta %s" % (op, kernel["detached"][op], cell(kernel, op, "traced"),
                                                     cell(kernel, op, "untraced")))
    return "\n".join(lines + [".El"])


def table(bench):
    for name, kernel in bench["kernels"].items():
        print("\n%s (%s), %s: guest instructions added to an operation\n" % (name, kernel["release"], bench["date"]))
        print(costs_table(kernel) + "\n\n" + budget_table(kernel))


def between(text, name, new, marks):
    """@text with what is between the marks called @name replaced."""
    begin, end = (mark % name for mark in marks)
    head, rest = text.split(begin + "\n", 1)
    return head + begin + "\n" + new + "\n" + end + "\n" + rest.split(end + "\n", 1)[1]


def with_section(text, name):
    """@text, with a section for the kernel @name at its end if it has none yet."""
    if "<!-- bench %s -->" % name in text:
        return text
    marks = "".join("\n<!-- bench %s -->\n<!-- end %s -->\n" % (what, what) for what in (name + " from", name))
    return "%s\n## %s\n%s" % (text, name, marks)


def records(name):
    """What bench/scale left in docs/evidence/data/NAME, by what it is about."""
    rows = {}
    for line in (DATA / name).read_text().splitlines():
        row = json.loads(line)
        rows.setdefault(row["what"], []).append(row)
    return rows


def mib(size):
    return "%.1f MiB" % (size / (1 << 20))


def lost_words(lost):
    """What a run lost, where it lost anything: the kernel skips a program that is preempted on that CPU."""
    return ", ".join("lost %s: %d" % (what, nr) for what, nr in lost.items() if nr) or "nothing lost"


def scale_list(scale, soak):
    """Markdown: what does not grow, and what starting costs."""
    kernel, hot = scale["kernel"][0], soak["kernel"][0]
    expected = {row["file"]: row for row in scale["expected"] + soak["expected"]}
    start, many = scale["memory"]
    lines = ["%s, one CPU, `make bench-scale`, %s:" % (kernel["release"], kernel["date"]), "",
             "| windows open at once | a writer's mmap+munmap before | while they are open | windows counted |",
             "| ---: | ---: | ---: | ---: |"]
    for row in scale["windows"]:
        lines.append("| %d | %d | %d | %d |" % (row["open"], row["writer_alone"], row["writer"],
                                             expected["/out/windows-%d" % row["open"]]["windows"]))
    lines += ["", "- %d processes that copy, one of them traced: %d windows counted, %d made by it; %s." % (
        scale["processes"][0]["processes"], expected["/out/processes"]["windows"], scale["processes"][0]["windows_each"],
        lost_words(expected["/out/processes"]["lost"]))]
    lines.append("- Memory: maps of %s and %s resident; with %s %s and %s. For the moment of the start up to %s." % (
        mib(start["maps"]), mib(start["rss"]), many["when"], mib(many["maps"]), mib(many["rss"]), mib(start["rss_peak"])))
    for row in scale["life"]:
        lines.append("- From exec() until all is attached and proven, self-test %s: %.1f billion instructions; from SIGINT to the end %.0f million." % (
            row["self_test"], row["start_cpu_ns"] / 1e9, (row["cpu_ns"] - row["start_cpu_ns"]) / 1e6))
    lines.append("- %s, %d CPUs, `make bench-soak`, %s: %d windows made, %d counted; %s; memory at its begin and end: %s and %s." % (
        hot["release"], hot["cpus"], hot["date"], soak["soak"][0]["windows"], expected["/out/soak"]["windows"],
        lost_words(expected["/out/soak"]["lost"]), *(mib(row["maps"] + row["rss"]) for row in soak["memory"])))
    return "\n".join(lines)


def documents(bench):
    """The documents that show the numbers: path and what it should be."""
    page, manual = DATA.parent / "overhead.md", DATA.parent.parent / "reference/uffdretry.8"
    marks = ("<!-- bench %s -->", "<!-- end %s -->")
    text = page.read_text()
    for name, kernel in bench["kernels"].items():
        text = with_section(text, name)
        text = between(text, name, "\n" + costs_table(kernel) + "\n", marks)
        text = between(text, name + " from", "%s, %s." % (kernel["release"], bench["date"]), marks)
    newest = bench["kernels"]["7.3"]
    text = between(text, "budgets", "\n" + budget_table(newest) + "\n", marks)
    text = between(text, "scale", "\n" + scale_list(records("scale.json"), records("soak.json")) + "\n", marks)
    yield page, text
    yield manual, between(manual.read_text(), "bench", man_table(newest), ('.\\" begin %s', '.\\" end %s'))


def docs(check):
    """Write the numbers into the documents, or say which of them has others."""
    path = DATA / "bench.json"
    stale = [page for page, text in documents(json.loads(path.read_text())) if page.read_text() != text]
    if check:
        sys.exit("\n".join("%s has other numbers than docs/evidence/data/bench.json" % page for page in stale) or 0)
    for page, text in documents(json.loads(path.read_text())):
        page.write_text(text)


# Not the tool's programs.
NOT_COMPARED = ("peer", "peer-untraced")


def compare(then, now, ratio):
    """Exit 2 if anything costs more than RATIO times what it did."""
    worse = 0
    for name, kernel in now["kernels"].items():
        old = then["kernels"].get(name)
        if not old:
            sys.exit("bench: the baseline has no kernel %s" % name)
        for config, ops in kernel["added"].items():
            for op, added in ops.items():
                before = old["added"].get(config, {}).get(op)
                if before is None or config in NOT_COMPARED:
                    continue
                # Less than nothing is nothing, within the noise.
                before = max(before, 0)
                if added - before <= max((ratio - 1) * before, noise(kernel, op)):
                    continue
                print("%s: %s %s: %.0f instructions, were %.0f" % (name, config, op, added, before))
                worse += 1
    print("bench: %d of the numbers got worse by more than %.0f %%" % (worse, 100 * (ratio - 1)))
    sys.exit(2 if worse else 0)


def main(argv):
    match argv[1:]:
        case ["collect", directory, *kernels]:
            collect(directory, kernels)
        case ["table", path]:
            table(json.load(open(path)))
        case ["compare", then, now, ratio]:
            compare(json.load(open(then)), json.load(open(now)), float(ratio))
        case ["docs", *check] if check in ([], ["--check"]):
            docs(bool(check))
        case _:
            sys.exit("usage: report.py docs [--check] | collect DIR KERNEL... | table FILE | compare OLD NEW RATIO")


main(sys.argv)
