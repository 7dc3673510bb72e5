#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The benchmark's numbers: collect a run's, show them as a table, hold them against the budgets or an earlier run."""
import datetime
import json
import pathlib
import sys

# What the tool may add (docs/overhead.md): times what empty programs add, and at most so many instructions.
BUDGETS = {
    ("copy_mapped", "traced"): (1.3, 480),
    ("copy_window", "traced"): (1.6, 1700),
    ("mmap_munmap", "untraced"): (1.1, 490),
    ("minor_fault", "traced"): (0, 0),
    ("getppid", "traced"): (0, 0),
}
PEER_SHARE = 0.5
# Two measurements of the same thing differ by as much: this share of the operation, and no less than so many instructions.
NOISE_SHARE, NOISE_MIN = 0.001, 2


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
    return min(times * kernel["added"]["floor"][op], most)


def verdict(kernel, op, config):
    """Does OP under CONFIG keep its budget? In words."""
    added, allowed = kernel["added"][config][op], budget(kernel, op, config)
    said = []
    if allowed is not None:
        over = added - allowed
        said.append("holds (%.0f)" % allowed if over <= noise(kernel, op) else
                    "misses %.0f by %.0f (%.0f %%)" % (allowed, over, 100 * over / allowed if allowed else 100))
    peer = kernel["added"].get("peer" if config == "traced" else "peer-untraced")
    if peer and config in ("traced", "untraced"):
        over = added - PEER_SHARE * peer[op]
        said.append("half the peer's: %s" % ("holds" if over <= noise(kernel, op) else "misses by %.0f" % over))
    return "; ".join(said)


def cell(kernel, op, config):
    added, op_cost = kernel["added"][config][op], kernel["detached"][op]
    return "0" if abs(added) <= noise(kernel, op) else "%.0f (%.1f %%)" % (added, 100 * added / op_cost)


def table(bench):
    for name, kernel in bench["kernels"].items():
        configs = list(kernel["added"])
        rows = [["operation", "detached"] + configs + ["budget"]]
        for op in kernel["detached"]:
            said = ["%s: %s" % (c, v) for c in configs for v in [verdict(kernel, op, c)] if v]
            rows.append([op, "%.0f" % kernel["detached"][op]] + [cell(kernel, op, c) for c in configs] + [", ".join(said)])
        print("\n%s (%s), %s: guest instructions added to an operation\n" % (name, kernel["release"], bench["date"]))
        print("\n".join("| " + " | ".join(row) + " |" for row in rows[:1]))
        print("|" + "---|" * len(rows[0]))
        print("\n".join("| " + " | ".join(row) + " |" for row in rows[1:]))


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
                if before is None or config in ("peer", "peer-untraced"):
                    continue
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
        case _:
            sys.exit("usage: report.py collect DIR KERNEL... | table FILE | compare OLD NEW RATIO")


main(sys.argv)
