#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Collect the numbers of a benchmark run, write them into the documents, compare two runs."""
import datetime
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import page  # noqa: E402

DATA = ROOT / "docs/evidence/data"

# The allowed costs (docs/evidence/overhead.md): a factor on what empty programs add, and a limit in
# instructions.
BUDGETS = {
    ("copy_mapped", "traced"): (1.3, 480),
    ("copy_window", "traced"): (1.6, 1700),
    ("mmap_munmap", "untraced"): (1.1, 490),
    ("minor_fault", "traced"): (0, 0),
    ("getppid", "traced"): (0, 0),
}
PEER_SHARE = 0.5
# Two measurements of the same thing can differ by this share of the operation, and by this many
# instructions.
NOISE_SHARE, NOISE_MIN = 0.002, 2


def collect(directory, kernels):
    """Print one object with the guests' files of DIRECTORY/KERNEL."""
    result = {"type": "bench", "schema": 2, "kernels": {}}
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
        # The cost with nothing attached is measured between all others; the median is the base.
        base = {op: sorted([off[op]] + again[op])[(len(again[op]) + 1) // 2] for op in off}
        result["kernels"][kernel] = {
            "date": datetime.date.today().isoformat(),
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


def number(value):
    return f"{value:,.0f}"


def peer_budget(kernel, op, config):
    """Half of what the bpftrace script adds, or None."""
    peer = kernel["added"].get("peer" if config == "traced" else "peer-untraced")
    return max(0, PEER_SHARE * peer[op]) if peer else None


def over(kernel, op, config, allowed):
    """By how much OP under CONFIG exceeds ALLOWED; "-" when it does not, within the noise."""
    excess = kernel["added"][config][op] - allowed
    if excess <= noise(kernel, op):
        return "-"
    return f"{number(excess)} ({100 * excess / allowed:.0f} %)" if allowed else number(excess)


def cell(kernel, op, config):
    added, op_cost = kernel["added"][config][op], kernel["detached"][op]
    return "0" if abs(added) <= noise(kernel, op) else f"{number(added)} ({100 * added / op_cost:.1f} %)"


COSTS = {"traced": "traced", "untraced": "not traced", "floor": "floor", "peer": "bpftrace, traced",
         "peer-untraced": "bpftrace, not traced"}
OPTIONS = {"events": "`--events`, traced", "traced:--no-writers": "`--no-writers`, traced",
           "untraced:--no-writers": "`--no-writers`, not traced", "traced:--witness": "`--witness`, traced",
           "untraced:--witness": "`--witness`, not traced", "traced:--stacks": "`--stacks`, traced"}


def added_table(kernel, configs, before=False):
    """Markdown: what each configuration adds to each operation; @before: its cost without."""
    configs = {c: title for c, title in configs.items() if c in kernel["added"]}
    rows = [[f"`{op}`"] + [number(cost)] * before + [cell(kernel, op, c) for c in configs]
            for op, cost in kernel["detached"].items()]
    return page.table(["operation", *["costs"] * before, *configs.values()], rows)


def budget_table(kernel, allowed_of, title):
    """Markdown: what allowed_of(kernel, operation, configuration) allows, and the excess."""
    rows = []
    for op in kernel["detached"]:
        for config in ("traced", "untraced"):
            allowed = allowed_of(kernel, op, config)
            if allowed is not None:
                rows.append([f"`{op}`", COSTS[config], cell(kernel, op, config), number(allowed),
                             over(kernel, op, config, allowed)])
    return page.table(["operation", "process", "added", title, "over by"], rows, words=2)


def man_table(kernel):
    """mdoc: the operations' costs and what tracing adds, in a list of columns."""
    lines = ['.Bl -column "fork_exec_10000_vmas" "25,230,333" "1,225,142 (10.0 %)"',
             ".It operation Ta costs Ta traced Ta not traced"]
    for op, cost in kernel["detached"].items():
        lines.append(f".It {op} Ta {number(cost)} Ta {cell(kernel, op, 'traced')} Ta {cell(kernel, op, 'untraced')}")
    return "\n".join(lines + [".El"])


def table(bench):
    for name, kernel in bench["kernels"].items():
        print(f"\n{name} ({kernel['release']}), {kernel['date']}: guest instructions added to an operation\n")
        for shown in (added_table(kernel, COSTS, before=True), added_table(kernel, OPTIONS),
                      budget_table(kernel, budget, "budget"), budget_table(kernel, peer_budget, "half of bpftrace's")):
            print(shown + "\n")


def records(name):
    """The lines of bench/scale in docs/evidence/data/NAME, by their subject."""
    rows = {}
    for line in (DATA / name).read_text().splitlines():
        row = json.loads(line)
        rows.setdefault(row["what"], []).append(row)
    return rows


def mib(size):
    return f"{size / (1 << 20):.1f}"


def counts_table(scale, soak):
    """Markdown: windows made and counted, and what was lost."""
    expected = scale["expected"] + soak["expected"]
    lost = [what for what in expected[0]["lost"] if what != "skipped"]  # "recursion" has all skipped runs
    titles = {"recursion": "skipped runs", "windows": "lost windows", "events": "lost events", "changing_events": "lost changing events",
              "copy_events": "lost copy events", "map_full": "map full"}
    names = {row["file"]: f"windows open at once: {row['expected']:,}" for row in expected}
    names["/out/processes"] = f"{scale['processes'][0]['processes']:,} processes copy, one of them traced"
    names["/out/soak"] = "one process copies without a pause"
    rows = [[names[row["file"]], row["expected"], row["windows"], *(row["lost"][what] for what in lost)] for row in expected]
    head, rows = page.without_empty(["load", "windows made", "windows counted", *(titles[what] for what in lost)], rows)
    return page.table(head, [[f"{n:,}" if isinstance(n, int) else n for n in row] for row in rows])


def scale_parts(scale, soak):
    """The tables of what does not grow and of the costs of a start, by name."""
    memory = scale["memory"] + soak["memory"]
    when = [row["when"] for row in scale["memory"]] + [f"soak, {row['when']}" for row in soak["memory"]]
    return {
        "writer": page.table(["windows open at once", "before, instructions", "while they are open", "more"],
                             [[number(n) for n in (row["open"], row["writer_alone"], row["writer"],
                                                   row["writer"] - row["writer_alone"])] for row in scale["windows"]]),
        "counts": counts_table(scale, soak),
        "memory": page.table(["when", "maps, MiB", "resident beside them, MiB", "most resident in all, MiB"],
                             [[at, *(mib(row[key]) for key in ("maps", "rss", "rss_peak"))] for at, row in zip(when, memory)]),
        "life": page.table(["self-test", "start, million instructions", "stop, million instructions"],
                           [[row["self_test"], number(row["start_cpu_ns"] / 1e6),
                             number((row["cpu_ns"] - row["start_cpu_ns"]) / 1e6)] for row in scale["life"]]),
    }


def runs_table(benches, **others):
    """Markdown: on which kernels, and when."""
    rows = [[f"`make {name}`", kernel["release"], 1, kernel["date"]]
            for name, bench in benches.items() for kernel in bench["kernels"].values()]
    rows += [[f"`make bench-{name}`", run["release"], run["cpus"], run["date"]] for name, run in others.items()]
    return page.table(["command", "kernel", "CPUs", "date"], rows, words=4)


# Empty hooks on userfaultfd_ioctl, which each copy calls once; and does preemption skip their runs?
KINDS = {"fentry": "yes", "fexit": "yes", "kprobe.multi": "no", "kretprobe.multi": "no"}


def kinds_table(bench):
    """Markdown: what a hit of each kind of hook costs before a program does anything."""
    rows = [[f"`{kind}`", skipped, *(number(kernel["added"][f"kind:{kind}"]["copy_mapped"]) for kernel in bench["kernels"].values())]
            for kind, skipped in KINDS.items()]
    return page.table(["kind of hook", "skipped when preempted", *bench["kernels"]], rows, words=2)


def documents():
    """The documents that show the numbers: path and what it should be."""
    benches = {name: json.loads((DATA / f"{name}.json").read_text()) for name in ("bench", "bench-arm64")}
    bench = benches["bench"]
    overhead, manual = DATA.parent / "overhead.md", DATA.parent.parent / "reference/uffdretry.8"
    newest, scale, soak = bench["kernels"]["7.3"], records("scale.json"), records("soak.json")
    parts = {"runs": runs_table(benches, scale=scale["kernel"][0], soak=soak["kernel"][0]),
             "kinds": kinds_table(bench), "budgets": budget_table(newest, budget, "budget"),
             "peer": budget_table(newest, peer_budget, "half of bpftrace's"), **scale_parts(scale, soak)}
    for name, kernel in (bench["kernels"] | benches["bench-arm64"]["kernels"]).items():
        parts[f"costs {name}"] = added_table(kernel, COSTS, before=True)
        parts[f"options {name}"] = added_table(kernel, OPTIONS)
    yield overhead, page.with_parts(overhead.read_text(), parts)
    yield manual, page.put(manual.read_text(), "bench", man_table(newest), ('.\\" begin %s', '.\\" end %s'))


def docs(check):
    """Write the numbers into the documents, or with @check report those that differ."""
    new = list(documents())
    if check:
        stale = [path for path, text in new if path.read_text() != text]
        sys.exit("\n".join(f"{path} has other numbers than docs/evidence/data" for path in stale) or 0)
    for path, text in new:
        path.write_text(text)


# Not the tool's programs.
NOT_COMPARED = ("peer", "peer-untraced", *(f"kind:{kind}" for kind in KINDS))


def compare(then, now, ratio):
    """Exit status 2 if anything costs more than RATIO times the earlier run."""
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
                # Negative costs are noise around 0.
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
