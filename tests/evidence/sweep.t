#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: tools/evidence/sweep continues and reports what is missing. A script plays the guest."""
import importlib.machinery
import importlib.util
import io
import json
import os
import tempfile
from contextlib import redirect_stderr

from tap import ROOT, Tap, counters

loader = importlib.machinery.SourceFileLoader("sweep", os.path.join(ROOT, "tools/evidence/sweep"))
sweep = importlib.util.module_from_spec(importlib.util.spec_from_loader("sweep", loader))
loader.exec_module(sweep)
tap = Tap()

# Prints a line for each cell that it gets, but dies at the $PLAYth, or does what PLAY says.
GUEST = """#!/bin/bash
ARGS=$*
while [ "$1" != --add ]; do shift; done
cells=${2%%:*}
[[ " $ARGS " == *" --parallel "* ]] || exit 64
echo "boot $(wc -l <"$cells")" >>"$LOG"
[ "$PLAY" != unavailable ] || exit 77
n=0
while IFS=$'\\t' read -r key command; do
	n=$((n + 1)) status=0 summary=$SUMMARY
	[ "$PLAY" != "$n" ] || exit 71
	[[ $PLAY != fails || $n != 2 ]] || status=1
	[[ $PLAY != silent || $n != 2 ]] || summary=null
	[[ $PLAY != lacks || $n != 2 ]] || status=77 summary=null
	printf '{"key":"%s","status":%d,"result":{"type":"load"},"summary":%s}\\n' "$key" $status "$summary"
done <"$cells"
"""
work = tempfile.TemporaryDirectory()
sweep.RUN = os.path.join(work.name, "run")
with open(sweep.RUN, "w", encoding="utf-8") as guest:
    guest.write(GUEST)
os.chmod(sweep.RUN, 0o755)
os.environ["SUMMARY"] = json.dumps(counters("summary", {"quiet": 1}))
os.environ["LOG"] = os.path.join(work.name, "log")
CELLS = sweep.plan.rates("7.3", "free", ("0", "10", "100", "1000"))


def play(how, path, cells=tuple(CELLS)):
    """(status, keys in the file, boots, stderr)"""
    open(os.environ["LOG"], "w", encoding="utf-8").close()
    os.environ["PLAY"] = how
    with redirect_stderr(io.StringIO()) as err:
        status = sweep.Sweep(cells, path, 2).run()
    with open(os.environ["LOG"], encoding="utf-8") as log:
        boots = log.read().split("\n")[:-1]
    keys = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            keys = [json.loads(line)["key"] for line in lines]
    return status, keys, boots, err.getvalue()


ALL = [cell.key for cell in CELLS]
file = os.path.join(work.name, "a")
tap.equal(play("well", file)[:3], (0, ALL, ["boot 4"]), "all cells in one boot")
got = play("well", file)
tap.equal(got[:3], (0, ALL, []), "a second time: none is run")
tap.check("4 of 4 cells are in" in got[3], "it says so", got)
with open(file, "rb+") as lines:
    data = lines.read()
    lines.truncate(len(data) - 10)
got = play("well", file)
tap.equal(got[:3], (0, ALL, ["boot 1"]), "a line that was cut is run again")
tap.check("not complete, removed" in got[3], "it says that, too", got)
with open(file, encoding="utf-8") as lines:
    first = json.loads(lines.readline())
tap.equal((first["type"], first["kernel"]["release"], first["machine"]["emulated"]),
          ("cell", "7.3.0-test", True), "what a line has")
tap.equal(first["machine"]["accelerator"], "TCG, thread=multi", "its processors really run at once")
tap.equal(first["load"]["command"],
          "uffdload free --copiers 1 --writers 1 --duration 4s --seed 1 --rate 0 --what none",
          "the command of a line")

two = [cell for kernel in ("7.3", "permm:per_mm") for cell in sweep.plan.rates(kernel, "free", ("0",), (1, 2))]
got = play("well", os.path.join(work.name, "turns"), two)
tap.equal(got[:3], (0, [two[n].key for n in (0, 2, 1, 3)], ["boot 1"] * 4),
          "a seed on all kernels before the next seed")
seeds = {cell.key.replace(f"seed {cell.seed}", "seed"): 0 for cell in sweep.plan.full()}
for cell in sweep.plan.full():
    seeds[cell.key.replace(f"seed {cell.seed}", "seed")] += 1
tap.equal(set(seeds.values()), {5}, "the full sweep has five seeds a cell")

got = play("3", os.path.join(work.name, "b"))
tap.equal(got[:3], (0, ALL, ["boot 4", "boot 2"]), "a guest that dies: the rest gets another boot")
got = play("1", os.path.join(work.name, "c"))
tap.equal(got[:3], (1, [], ["boot 4"] * 3), "a guest that dies at once is given up")
tap.equal(got[3].count("missing: "), 4, "each missing cell is named")
for how in ("fails", "silent"):
    got = play(how, os.path.join(work.name, how))
    tap.equal(got[:2], (1, ALL[:1] + ALL[2:]), f"a load that {how}: the others are run")
    tap.check(f"missing: {ALL[1]}" in got[3], "it is named", got)
got = play("lacks", os.path.join(work.name, "lacks"))
tap.equal(got[:2], (0, ALL), "a load that cannot run on this kernel is kept as that")
got = play("unavailable", os.path.join(work.name, "unavailable"))
tap.equal(got[:2], (0, []), "a kernel that is not available is skipped")
tap.check("7.3: this kernel, or a QEMU for it, is not available" in got[3], "by name", got)
keys = [cell.key for cell in sweep.plan.full()]
tap.equal(len(keys), len(set(keys)), "no two cells of the full sweep are the same")
with open(os.path.join(work.name, "d"), "w", encoding="utf-8") as other:
    other.write("hello\n")
try:
    play("well", os.path.join(work.name, "d"))
    tap.check(False, "another file is not written to")
except SystemExit as err:
    tap.check("not a file of cells" in str(err), "another file is not written to", err)
work.cleanup()
tap.done()
