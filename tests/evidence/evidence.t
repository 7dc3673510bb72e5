#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: the pages agree with the committed data, and known data gives known tables."""
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile

from tap import CLASSES, ROOT, Tap, cell, counters, write

import prose
import records
import stats
import tables

tap = Tap()
WRITE = os.path.join(ROOT, "tools/evidence/write")
DOCS = os.path.join(ROOT, "docs/evidence")
work = tempfile.TemporaryDirectory()


def evidence(*args):
    done = subprocess.run([WRITE, *args], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def copy(name):
    """A copy of the committed pages and figures."""
    path = os.path.join(work.name, name)
    shutil.copytree(DOCS, path, ignore=shutil.ignore_patterns("data"))
    return path


def changed(page, old, new):
    """A copy in which one page has new in place of the first old."""
    path = copy(f"changed-{len(os.listdir(work.name))}")
    text = read(path, page)
    with open(os.path.join(path, page), "w", encoding="utf-8") as file:
        file.write(text.replace(old, new, 1))
    return path


def refused(description, path, says):
    got = evidence("--check", "-o", path)
    tap.check(got[0] == 1 and says in got[1] + got[2], description, *got)


# --- the committed pages --------------------------------------------------------------------------

got = evidence("--check")
tap.equal(got[0], 0, "evidence.md, mail.txt and the figures are those of docs/evidence/data")
if got[0]:
    print("\n".join(f"# {line}" for line in (got[1] + got[2]).splitlines()[:40]))
MAIL, PAGE = read(DOCS, "mail.txt"), read(DOCS, "evidence.md")
tap.equal([n for n in range(1, 22) if f"\n### {n}. " not in PAGE], [], "all 21 claims are there")
used = re.findall(r"<!-- table (\w+) -->", PAGE)
tap.equal(sorted(used), sorted(tables.TABLES), "the page has each table once")

COUNT = re.search(r"^\| all \|.* (\d+) \|$", PAGE, re.MULTILINE)[1]  # of the table `classes`
SHOWN = f"{int(COUNT):,}"
for page, what, old, new, says in (
        ("evidence.md", "a number in a table of the page", f" {COUNT} |", f" {COUNT}0 |",
         f"| {COUNT}0 |"),
        ("evidence.md", "a share in the prose of the page", "0.46 %", "77.7 %",
         "evidence.md: 77.7 % is in no table"),
        ("evidence.md", "a count in the prose of the page", SHOWN, SHOWN + ",000",
         f"evidence.md: {SHOWN},000 is in no table"),
        ("mail.txt", "a number in the mail", "0.46 %", "0.8765 %", "mail.txt: 0.8765 % is in no table"),
        ("mail.txt", "a count to a share", " 237,", " 237 %,", "mail.txt: 237 % is in no table"),
        ("mail.txt", "a line to a wide one", "\nWith", "\nWith" + " it" * 30,
         "mail.txt:8: more than 72 columns"),
        ("mail.txt", "the end to a long one", "?\n", "?\n" + "\n" * 60, "lines, more than 60"),
        ("evidence.md", "the name of a table", "<!-- table odd", "<!-- table even", "marker"),
        ("evidence.md", "the end of a table", "<!-- end odd -->", "", "marker")):
    refused(f"changed: {what}", changed(page, old, new), says)
path = changed("figures/rate.svg", "data ", "date ")
refused("a figure of other data", path, "rate.svg: not drawn from this data")
os.remove(os.path.join(path, "figures/rate.svg"))
refused("a figure that is missing", path, "rate.svg")

TABLE = re.compile(r"<!-- table .*?<!-- end", re.DOTALL)
OTHERS = [row for page in ("native.md", "native-programs.md", "programs.md")
          for row in re.findall(r"^ *\|.*$", read(DOCS, page), re.MULTILINE)]
MADE = "".join(TABLE.findall(PAGE))
for name, text, made in (("evidence.md", TABLE.sub("", PAGE), MADE),
                         ("mail.txt", MAIL, "\n".join([MADE, *OTHERS]))):
    text = prose.EXEMPT.sub("", text)
    found = list(prose.NUMBER.finditer(text))
    missed = [match[0] for match in found
              if not prose.unsupported(f"{text[:match.start()]}98765{text[match.end():]}", made)]
    tap.check(len(found) > 10 and not missed and not prose.unsupported(text, made),
              f"{name}: each of {len(found)} numbers in its prose is found when it changes", missed)

loader = importlib.machinery.SourceFileLoader("write", WRITE)
script = importlib.util.module_from_spec(importlib.util.spec_from_loader("write", loader))
loader.exec_module(script)
runs = [run for run in records.read_runs([os.path.join(DOCS, "data/sweep.jsonl.gz")]) if run.load]
for name, title in script.FIGURES.items():
    figure = script.functions()[name](runs, title)
    figure.set_dpi(110)  # as it is saved
    inside = [figure.bbox.padded(1).contains(*corner) for text in figure.texts
              for corner in text.get_window_extent().corners()]
    drawn = figure.get_tightbbox()
    inside += [figure.bbox_inches.padded(0.01).contains(*corner) for corner in drawn.corners()]
    tap.check(figure.bbox.width <= 1000 and all(inside), f"{name}: whole at 1,000 pixels", drawn)

# --- what is a number -----------------------------------------------------------------------------

ROW = "| 5.6% (5.5% ... 5.7%) | 944243 | `7.9` |"
for text in ("5.6 %", "5.6%", "944,243 windows", "944243", "5.7 %."):
    tap.equal(prose.unsupported(text, ROW), [], f"{text}: a number of the table")
for text in ("5.6", "944243 %", "944,24", "7.9", "28", "3-fold", "20 May"):
    tap.check(prose.unsupported(text, ROW), f"{text}: no number of the table")
for text in ("2026-11-28", "20 May 2026", "May 20, 2026", "kernel 6.12.117", "Linux 7.1",
             "kernels 6.1, 6.12 and 7.3", "claims 3, 4 and 16", "claim 3", "`--pages 64`",
             "    uffdretry -d 10", "### 12. A claim", "[1](#claim-1)", "[page](a-1.md)",
             "95 % upper bound", "292411fda25b", "> 5 of 7", "p99", "3/N"):
    tap.equal(prose.unsupported(text, ROW), [], f"{text}: exempt")

# --- known numbers --------------------------------------------------------------------------------


def known():
    """One load: four writers on a stock kernel, one of them twice, and two on each check four times."""
    writers = [("mmap", False, 400), ("UFFDIO_REGISTER", False, 100)]
    found = [cell({"quiet": 5000}),
             cell({"quiet": 4500, "unrelated": 500}, "1000", "unrelated", made=900,
                  writers=writers),
             cell({"unrelated": 5000}, "1000", "unrelated", made=899, seed=2),  # something disturbed it
             cell({"quiet": 1800, "unrelated": 200}, "10000", "unrelated", made=900),
             cell({"quiet": 1400, "unrelated": 600}, "10000", "unrelated", made=800, seed=2),
             cell({"quiet": 3600, "real": 240, "gone": 160}, "max", "replace", made=900)]
    for check in ("per_mm", "snapshot"):
        for seed in (1, 2, 3, 4):
            of = {"kernel": "permm", "check": check, "seed": seed}
            found.append(cell({"quiet": 1000}, p99=1000, **of))
            found.append(cell({"quiet": 900, "unrelated": 100}, "max", "unrelated", made=900,
                              p99=2000 if check == "per_mm" else 1000, chains=[(1, 80), (2, 10)],
                              eagain=100, reissued=(100, 25), **of))
    for run in found:
        summary, replaces = run["summary"], run["load"]["what"] == "replace"
        again = summary["chains"]["reissued"]
        summary["odd_start"] = 50 if run["load"]["what"] == "unrelated" else 0
        summary["causes"] = {"ENOENT": {"relock": summary["windows"]["gone"]}}
        summary["chains"].update(retried=80 if again else 0, succeeded=60 if again else 0)
        relocks = sum(summary["windows"][c] for c in CLASSES[:10])  # not aborted, undetermined
        summary["relock"] = {"total": relocks, "mmap_lock": 40 if replaces else 0}
        waits = [{"min": 1, "max": 3, "count": 40}]
        summary["hist_ns"]["relock_mmap_lock"] = waits if replaces else []
    return found


could_not_run = {"type": "cell", "key": "7.3 swap", "status": 77, "summary": None}
data = write(os.path.join(work.name, "sweep.jsonl"), [*known(), could_not_run])
programs = os.path.join(work.name, "programs")
os.mkdir(programs)
summary = counters("summary", {"quiet": 3900, "unrelated": 100}, eagain=7)
for name, of in {"qemu": summary, "dead": None}.items():
    record = {"type": "program", "name": name, "summary": of}
    write(os.path.join(programs, f"{name}.json"), [record])
out = os.path.join(work.name, "out")
os.mkdir(out)
OTHER = ("--data", data, "--programs", programs, "-o")
tap.equal(evidence("--tables", *OTHER, out), (0, "", ""), "the tables of other data alone")
text = read(out, "tables.md")
for name, row in {
    "swept": "| `made`, unrelated, 1000/s | 900 | this one | 5000 | 1 | 100000 | 10% |",
    "sweep, none": "| `made` | 0 | 0 | 1 | 5000 | 0 (< 0.06%) | 0 (< 0.06%) |",
    "sweep": "| `made` | 1000 | 900 | 1 | 5000 | 10% | 0 (< 0.06%) |",
    "sweep, runs": "| `made` | 10000 | 800 to 900 | 2 | 4000 | 10% to 30% | 0 (< 0.075%) |",
    "touched": "| `made`, replace, max/s | 900 | 3840 | 0 (< 0.078%) |",
    "programs": "| `qemu` | 5000 | 4000 | 4000 | 7 |",
    "odd": "| `made`, unrelated, 1000/s | 500 | 50 |",
    "writers": "| UFFDIO_REGISTER | 100 |",
    "uffd_writers": "| unrelated | 500 | 100 |",
    "classes": "| `unrelated` | pass | pass | EAGAIN | 1300 |",
    "relock": "| `made`, replace, max/s | 4000 | 40 | 1% | 0.002 | 0.002 |",
    "changed": "| `made`, replace, max/s | 4000 | 240 | 160 | ENOENT 160 | 10% |",
    "by_length": "| `made` | 0 (< 0.067%) | 100% |",
    "lengths": "| `made` | 5000 | 10 | 10 | 10 |",
    "retries": "| `made`, unrelated, max/s | 400 | 100 | 320 | 240 | 240 of 320 |",
    "cost": "| `made`, unrelated, max/s | per_mm | 4 | 400 | 1.00 | 1.00 | 2.00 |",
    "chains": "| `made`, unrelated, max/s | 360 | 2 | 4 | 10% | 10% |",
    "kernels": "| `7.3.0-test` | snapshot | `retry_state`, exact | 5 |",
    "measured": "| runs | 21 |",
    "measured, disturbed": "| runs left out | 1 |",
    "hugetlb": "## hugetlb\n\nNothing in this data.",
}.items():
    like = [line for line in text.splitlines() if line[:12] == row[:12]]
    tap.check(row in text, f"table {name}: {row}".replace("\n", " "), *like)
path = copy("other")
got = evidence(*OTHER, path)
tap.check(got[0] == 1 and f"{SHOWN} is in no table" in got[2], "prose of other data", *got)
got = evidence("--data", os.path.join(work.name, "none"), "-o", out)
tap.check(got[0] == 1 and got[2].count("\n") == 1, "missing data: one line", got)

# --- rules ----------------------------------------------------------------------------------------

for runs, said in {((43, 99), (100, 1000)): "143 of 1099", ((0, 100), (0, 69)): "0 of 169",
                   ((0, 3000),): "0 (< 0.1%)", ((120, 1000), (140, 1000)): "12% to 14%",
                   ((120, 1000), (12, 100), (0, 0)): "12%", ((100, 100),): "100%", ((0, 0),): None,
                   ((None, 9),): None}.items():
    tap.equal(stats.spread(runs), said, f"the shares of the runs {runs}")
tap.equal(round(stats.failing_again([(1, 1, 80), (2, 2, 10)]), 6), 0.1, "tries that failed again")
for counts, said in {(1000, 0.1): 4.0, (0, 0.1): None, (5, 0): None}.items():
    tap.equal(stats.longest_of(*counts), said, f"the longest chain of {counts}")
tap.equal(tables.markdown(["a", "b", "c"], [["x", 0, 1], ["y", None, 0]]),
          "| a | c |\n| --- | --: |\n| x | 1 |\n| y | 0 |", "a column of zeroes is left out")
with open(os.path.join(ROOT, "docs/reference/classes.md"), encoding="utf-8") as file:
    sections = file.read().split("\n## ")
for head, words in (("The class of a window", records.CLASSES), ("The checks", records.CHECKS)):
    section = next(text for text in sections if text.startswith(head))
    tap.equal(sorted(words), sorted(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)),
              f"classes.md, {head}: the words are those of records.py")
try:
    tables.markdown(list("abcdefgh"), [list("ijklmnop")])
    tap.check(False, "a table has at most seven columns")
except ValueError:
    tap.check(True, "a table has at most seven columns")
work.cleanup()
tap.done()
