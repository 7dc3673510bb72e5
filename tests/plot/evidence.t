#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: the committed documents have the numbers of the committed data, and data with known numbers gives these."""
import os
import re
import shutil
import subprocess
import tempfile

from tap import ROOT, Tap, cell, counters, write

tap = Tap()
EVIDENCE = os.path.join(ROOT, "tools/evidence.py")
DOCS = os.path.join(ROOT, "docs")


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
    tap.equal(got[0], 0, "docs/evidence.md, docs/mail.txt and the figures are those of docs/data")
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
        "3": "| made; unrelated, max/s | 400 | 100 | 75% (70.5% ... 79%) |",
        "4": "| made; unrelated, max/s | per-MM seq | 4 | 20000 | 400 | 1.00, 1.00, 1.00, 1.00 | 2.00, 2.00, 2.00, 2.00 | 2 |",
        "4, finding": "Apart are made; unrelated, max/s: per-MM seq 2.00, 2.00, 2.00, 2.00, snapshot 1.00, 1.00, 1.00, 1.00.",
        "4, throughput": "In throughput 1 of 1 combinations of load and writer show no difference",
        "5": "| unrelated | pass | pass | EAGAIN | 500 | 3.6% (3.3% ... 3.9%) |",
        "7": "| made; unrelated, max/s | 10% (9.1% ... 11%) | 360 | 2 | 4 |",
        "11": "| made; replace, max/s | 4000 | 240 | - | 160 | 0 | 10% (9.1% ... 11%) |",
        "13": "| made; 1000/s asked | 900 | 10% (9.2% ... 10.9%) | 1.8% | 5.61 |",
        "17": "| unrelated | 500 | 20% (16.7% ... 23.7%) |",
        "programs": "| `qemu` | 7.3.0-test | 5000 | 4000 | 4000 | 2.5% (2.1% ... 3%) | 0 | 7 |",
        "19": "| `made` | 15000 | 12000 | 14000 | 1.17 |",
    }.items():
        tap.check(row in text, f"claim {claim}: {row}", *[line for line in text.splitlines() if line[:12] == row[:12]])
    mail = [" ".join(line.split()) for line in read(os.path.join(out, "mail.txt")).splitlines()]
    tap.check("writers elsewhere, 1000/s 5000 10% <0.06% <0.06%" in mail, "the mail's table", *mail)
    tap.check("want of what the load needs: `7.3 swap, own own`." in text, "a load that could not run is named")
    tap.check("{{" not in text + read(os.path.join(out, "mail.txt")), "no name is left unfilled")
    tap.equal(evidence("--check", "--data", data, "-o", out, "--programs", programs)[0], 0, "--check of what was written")
    got = evidence("--data", os.path.join(work, "none"), "-o", out)
    tap.check(got[0] == 1 and got[2].count("\n") == 1, "missing data: one line", got)
tap.done()
