#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: the committed documents have the numbers of the committed data, and data with known numbers gives these."""
import os
import re
import shutil
import subprocess
import tempfile

from tap import CLASSES, ROOT, Tap, cell, counters, write

import claims
import records
import verdicts
from sweepdata import Cells, counted, in_words, of_windows, rare

tap = Tap()
EVIDENCE = os.path.join(ROOT, "tools/evidence/evidence.py")
DOCS = os.path.join(ROOT, "docs/evidence")


def evidence(*args):
    done = subprocess.run([EVIDENCE, *args], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def change(path, old, new):
    text = read(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new, 1))
    return old in text


with tempfile.TemporaryDirectory() as work:
    # --- the committed documents ---------------------------------------------------------------------------------
    got = evidence("--check")
    tap.equal(got[0], 0, "docs/evidence/evidence.md, docs/evidence/mail.txt and the figures are those of docs/evidence/data")
    if got[0]:
        print("\n".join(f"# {line}" for line in (got[1] + got[2]).splitlines()[:40]))
    for name in ("evidence.md", "mail.txt"):
        shutil.copytree(DOCS, os.path.join(work, name), ignore=shutil.ignore_patterns("data"))
        path = os.path.join(work, name, name)
        share = re.search(r"[0-9.]+%", read(path)).group()
        change(path, share, "77.7%")
        got = evidence("--check", "-o", os.path.join(work, name))
        tap.check(got[0] == 1 and "+" in got[1] and "77.7%" in got[1], f"a changed number in {name} is found", got)
    shutil.copytree(DOCS, os.path.join(work, "figure"), ignore=shutil.ignore_patterns("data"))
    tap.check(change(os.path.join(work, "figure/figures/rate.svg"), "data ", "date "), "a figure says of what data it is")
    tap.equal(evidence("--check", "-o", os.path.join(work, "figure"))[0], 1, "a figure of other data is found")
    tap.equal(max(len(line) for line in read(os.path.join(DOCS, "mail.txt")).splitlines()) <= 72, True, "the mail has at most 72 columns")
    tap.equal([n for n in range(1, 22) if f"\n### {n}. " not in read(os.path.join(DOCS, "evidence.md"))], [], "all 21 claims are there")

    # --- known numbers -------------------------------------------------------------------------------------------
    cells = [
        cell({"quiet": 5000}),
        cell({"quiet": 4500, "unrelated": 500}, "1000", "unrelated", made=900, writers=[("mmap", False, 400), ("UFFDIO_REGISTER", False, 100)]),
        cell({"quiet": 3600, "real": 240, "gone": 160}, "max", "replace", made=900),
    ]
    for check in ("per_mm", "snapshot"):
        for seed in (1, 2, 3, 4):
            cells.append(cell({"quiet": 1000}, kernel="permm", check=check, seed=seed, p99=1000))
            cells.append(cell({"quiet": 900, "unrelated": 100}, "max", "unrelated", kernel="permm", check=check, made=900, seed=seed,
                              p99=2000 if check == "per_mm" else 1000, chains=[(1, 80), (2, 10)], eagain=100, reissued=(100, 25)))
    for run in cells:
        again, replaces = run["summary"]["chains"]["reissued"], run["load"]["what"] == "replace"
        run["summary"]["odd_start"] = 50 if run["load"]["what"] == "unrelated" else 0
        run["summary"]["causes"] = {"ENOENT": {"relock": run["summary"]["windows"]["gone"]}}
        run["summary"]["chains"].update(retried=80 if again else 0, succeeded=60 if again else 0)
        run["summary"]["relock"] = {"total": sum(run["summary"]["windows"][c] for c in CLASSES if c not in ("aborted", "undetermined")), "mmap_lock": 40 if replaces else 0}
        run["summary"]["hist_ns"]["relock_mmap_lock"] = [{"min": 1, "max": 3, "count": 40}] if replaces else []
    data = write(os.path.join(work, "sweep.jsonl"), cells + [{"type": "cell", "key": "7.3 swap, own own", "status": 77, "summary": None}])
    out = os.path.join(work, "out")
    os.mkdir(out)
    programs = os.path.join(work, "programs")
    os.mkdir(programs)
    for name, summary in {"qemu": counters("summary", {"quiet": 3900, "unrelated": 100}, eagain=7), "dead": None}.items():
        write(os.path.join(programs, f"{name}.json"), [{"type": "program", "name": name, "summary": summary}])
    got = evidence("--data", data, "-o", out, "--programs", programs)
    tap.equal(got, (0, "", ""), "documents from other data")
    text = read(os.path.join(out, "evidence.md"))
    for claim, row in {
        "1": "| writers elsewhere, 1000/s asked, all loads | 5000 | 10% (9.2% ... 10.9%) | above 1% | - |",
        "1, none": "| writers elsewhere, 0/s asked, all loads | 5000 | 0 (< 0.06%) | below 0.1% | - |",
        "3": "| made; unrelated, max/s | 400 | 100 | 75% (70.5% ... 79%) | 320 | 75% (70% ... 79.4%) |",
        "4": "| made; unrelated, max/s | per-MM seq | 4 | 900, 900, 900, 900 | 20000 | 400 | 2000, 2000, 2000, 2000 | 1.00, 1.00, 1.00, 1.00 | 2.00, 2.00, 2.00, 2.00 | 2 |",
        "4, verdict": "made; unrelated, max/s: p99 latency against no writer 100 % higher, all 4 runs beyond all 4, throughput, throughput against no writer overlap.",
        "3, verdict": "It does not, with sources that stay in memory: of 320 re-issued copies that mmap_changing did not refuse (`made`), 75 % succeeded without another fault.",
        "1, verdict": "lose more than 1 % of its windows for nothing when its mm is written to 1000 times a second (as asked; each write takes mmap_lock twice). How",
        "1, odd": "| `made` | 5000 | 500 | 50 | at most 10% |",
        "8": "| made; replace, max/s | 3840 | 6.2% (5.5% ... 7.1%) | 4000 | 1% (0.74% ... 1.4%) | 0.002 | 0.002 |",
        "8, verdict": "Re-taking the VMA needed mmap_lock in 40 of 14000 windows, 40 of them beside writers that touch the destination: 1 % of theirs.",
        "method, cells": "and the load's own result: 19 cells,",
        "method": "Rows are of one seed, some of up to 4 on permm.0-test; each run is of 2 s.",
        "kernels": "| `7.3.0-test` | snapshot | `retry_state` | exact | 3 |",
        "2": "| `made` | 500 | 500 of 500 (> 99.23%) |",
        "7, verdict": "No livelock in runs of 2 s: a page failed at most 2 times in a row (made; unrelated, max/s), and none had not succeeded",
        "5": "| unrelated | pass | pass | EAGAIN | 500 | 3.6% (3.3% ... 3.9%) |",
        "7": "| made; unrelated, max/s | 10% (9.1% ... 11%) | 10% | 360 | 2 | 4 |",
        "11": "| made; replace, max/s | 4000 | 240 | - | 160 | ENOENT 160 | 0 | 10% (9.1% ... 11%) |",
        "13": "| made; 1000/s asked | 900 | 10% (9.2% ... 10.9%) | 1.8% | 5.61 |",
        "17": "| unrelated | 500 | 20% (16.7% ... 23.7%) |",
        "programs": "| `qemu` | 7.3.0-test | 5000 | 4000 | 4000 | 2.5% (2.1% ... 3%) | 0 | 7 | exact |",
        "19": "| `made` | 15000 | 12000 | 12000 | 14000 | 1.17 |",
    }.items():
        tap.check(row in text, f"claim {claim}: {row}", *[line for line in text.splitlines() if line[:12] == row[:12]])
    mail = [" ".join(line.split()) for line in read(os.path.join(out, "mail.txt")).splitlines()]
    tap.check("1000/s (made 900) 5000 10% <0.06% <0.06%" in mail, "the mail's table", *mail)
    tap.check("8000 windows met the per-MM check itself, which failed 400 copies." in " ".join(mail), "the mail: the other check", *mail)
    tap.check("want of what the load needs: `7.3 swap, own own`." in text, "a load that could not run is named")
    tap.check("{{" not in text + read(os.path.join(out, "mail.txt")), "no name is left unfilled")
    tap.equal(evidence("--check", "--data", data, "-o", out, "--programs", programs)[0], 0, "--check of what was written")
    got = evidence("--data", os.path.join(work, "none"), "-o", out)
    tap.check(got[0] == 1 and got[2].count("\n") == 1, "missing data: one line", got)

# --- rules -----------------------------------------------------------------------------------------------------------
said = [rare(k, n) for k, n in ((143, 169), (0, 169), (20, 2900), (0, 3000), (30, 3000), (60, 3000), (0, 0), (None, 9))]
tap.equal(said, ["above 1%", "not enough windows", "not enough windows", "below 0.1%", "between", "above 1%", "not enough windows", "not on this kernel"],
          "few windows can show that a share is above 1 %, not that it is below 0.1 %")
tap.equal([of_windows(143, 169), of_windows(0, 169), of_windows(2, 1541)], ["143 of 169 (> 78.4%)", "0 of 169, too few for a bound", "2 of 1541, too few for a bound"],
          "counts of few windows")
tap.equal([counted(17321, 17321), counted(2, 4)], ["17321 of 17321 (> 99.97%)", "50% (15% ... 85%)"], "all of them: a bound that is not rounded up")
tap.equal([in_words(0, 9), in_words(9, 9), in_words(41, 1000)], ["none", "all", "4.1 %"], "shares in a sentence")
tap.equal([verdicts.rates_in_words(rates, ["0", "10", "1000", "max"]) for rates in (["0"], ["1000", "max"], ["0", "10", "1000"], ["max"])],
          ["without writers", "when its mm is written to 1000 times a second or more (as asked; each write takes mmap_lock twice)",
           "without writers and when its mm is written to 10 or 1000 times a second (as asked; each write takes mmap_lock twice)", "when its mm is written to as often as a writer can"],
          "rates in a sentence")
seeds = Cells(records.run_of_cell(cell({"quiet": 4000 - k, "unrelated": k}, "1000", "unrelated", seed=seed, made=1000), "a test") for seed, k in ((1, 400), (2, 200)))
tap.equal([claims.shares_of_seeds(seeds), verdicts.Verdicts(claims.Tables(seeds, "none")).spread_of_seeds()],
          [[0.1, 0.05], "Two seeds of one row differ up to 2.0-fold."], "how far seeds are apart")
few = Cells(records.run_of_cell(cell({"quiet": 900, "unrelated": 100}, "1000", "unrelated", seed=seed, made=1000), "a test") for seed in (1, 2))
tap.equal(claims.shares_of_seeds(few), [], "seeds with few windows have no share")
tie = 26 / 9
found = [claims.separate(("", a, b), step) for a, b, step in (
    ([tie, 1.69], [8.0, tie], 1.25), ([tie, 1.69], [8.0, tie * (1 + 1e-6)], 1.25), ([tie, 1.69], [8.0, tie * 1.3], 1.25), ([1.36, 1.69], [1.0, 1.0], 1.25),
    ([0.63, 0.66], [1.0, 0.67], 1), ([1.0, 2.0], [2.0, 3.0], 1))]
tap.equal(found, [0, 0, -1, 1, -1, 0], "a tie, and less than a bucket's width, are not separate")
chained = [Cells([records.run_of_cell(cell({"quiet": 900, "unrelated": failed}, "max", "unrelated", made=900, chains=chains), "a test")])
           for failed, chains in ((100, [(1, 500), (4, 1)]), (100, [(1, 500), (10, 1)]), (0, [(1, 5)]), (100, []))]
tap.equal([claims.clusters(c) for c in chained], [False, True, False, False], "failures cluster, by how often a window fails; none and one each do not")
tap.done()
