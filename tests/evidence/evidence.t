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

import figures
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

for page, what, old, new, says in (
        ("evidence.md", "a number in a table of the page", "| 944243 |", "| 944244 |",
         "+| windows | 944243 |"),
        ("mail.txt", "a number in a table of the mail", " 37.5%", " 37.6%", "+1000 writes/s "),
        ("evidence.md", "a share in the prose of the page", "to 4.4 %", "to 77.7 %",
         "evidence.md: 77.7 % is in no table"),
        ("evidence.md", "a count in the prose of the page", "944,243", "944,244",
         "evidence.md: 944,244 is in no table"),
        ("mail.txt", "a number in the prose of the mail", "37.5 %", "37.6 %",
         "mail.txt: 37.6 % is in no table"),
        ("mail.txt", "a share to a count", "37.5 %", "37.5", "mail.txt: 37.5 is in no table"),
        ("mail.txt", "a line to a wide one", "\nI counted", "\nI counted" + " it" * 30,
         "mail.txt:9: more than 72 columns"),
        ("evidence.md", "the name of a table", "<!-- table odd", "<!-- table even", "marker"),
        ("evidence.md", "the end of a table", "<!-- end odd -->", "", "marker"),
        ("mail.txt", "the head of a table", "writer or load ", "writer or cargo ",
         "mail_shares: 0 paragraphs")):
    refused(f"changed: {what}", changed(page, old, new), says)
path = changed("figures/rate.svg", "data ", "date ")
refused("a figure of other data", path, "rate.svg: not drawn from this data")
os.remove(os.path.join(path, "figures/rate.svg"))
refused("a figure that is missing", path, "rate.svg")

TABLE = re.compile(r"<!-- table .*?<!-- end", re.DOTALL)
PARAGRAPHS = MAIL.split("\n\n")
PLAIN = [p for p in PARAGRAPHS if "  " in p.split("\n")[0]]
REST = "\n\n".join(p for p in PARAGRAPHS if p not in PLAIN)
for name, text, made in (("evidence.md", TABLE.sub("", PAGE), "".join(TABLE.findall(PAGE))),
                         ("mail.txt", REST, "".join(PLAIN))):
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
    figure = figures.FIGURES[name](runs, title)
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
    """One load: three writers on a stock kernel, two on each check four times."""
    writers = [("mmap", False, 400), ("UFFDIO_REGISTER", False, 100)]
    found = [cell({"quiet": 5000}),
             cell({"quiet": 4500, "unrelated": 500}, "1000", "unrelated", made=900,
                  writers=writers),
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
    "checks": "| per-MM seq | 10% (9.2% ... 10.9%) | 0 (< 0.078%) |",
    "rates": "| 1000 | 900 | 5000 | 10% (9.2% ... 10.9%) |",
    "sweep, none": "| `made`, none | 0 | 5000 | 0 (< 0.06%) | - | - |",
    "sweep": "| `made`, 1000 | 900 | 5000 | 10% (9.2% ... 10.9%) | 1.8% | 5.61 |",
    "hot": "| `made` | this one | 12000 | 14000 | 1.2 | 3.6% (3.3% ... 3.9%) |",
    "programs": "| `qemu` | 5000 | 4000 | 4000 | 7 |",
    "odd": "| `made` | 5000 | 500 | 50 |",
    "writers": "| UFFDIO_REGISTER | 100 |",
    "uffd_writers": "| unrelated | 500 | 100 of 500 |",
    "classes": "| `unrelated` | pass | pass | EAGAIN | 500 | 3.6% (3.3% ... 3.9%) |",
    "relock": "| 6.2% (5.5% ... 7.1%) | 4000 | 40 | 1% (0.74% ... 1.4%) | 0.002 | 0.002 |",
    "changed": "| `made`, replace, max/s | 4000 | 240 | 160 | ENOENT 160 | 10% (9.1% ... 11%) |",
    "by_length": "| 200 µs and more | 500 | 500 | 500 of 500 |",
    "retries": "| `made`, unrelated, max/s | 400 | 100 | 320 | 240 | 240 of 320 |",
    "cost": "max/s | per-MM | 400 | 2000, 2000, 2000, 2000 | 1.00 | 1.00 | 2.00 |",
    "chains": "| `made`, unrelated, max/s | 360 | 2 | 4 | 10% | 10% |",
    "kernels": "| `7.3.0-test` | snapshot | `retry_state`, exact | 3 |",
    "measured": "| runs | 19 |",
    "hugetlb": "## hugetlb\n\nNothing in this data.",
}.items():
    like = [line for line in text.splitlines() if line[:12] == row[:12]]
    tap.check(row in text, f"table {name}: {row}".replace("\n", " "), *like)
path = copy("other")
got = evidence(*OTHER, path)
tap.check(got[0] == 1 and "944,243 is in no table" in got[2], "prose of other data", *got)
mail = [" ".join(line.split()) for line in read(path, "mail.txt").splitlines()]
tap.check("1000 writes/s 5000 10% <0.06% <0.06%" in mail, "the shares of the mail", *mail)
tap.check("made, unrelated, max/s 320 75% 2 1.00" in mail, "the retries of the mail", *mail)
tap.check("copies of all programs of others 5000" in mail, "the counts of the mail", *mail)
got = evidence("--data", os.path.join(work.name, "none"), "-o", out)
tap.check(got[0] == 1 and got[2].count("\n") == 1, "missing data: one line", got)

# --- rules ----------------------------------------------------------------------------------------

for counts, said in {(143, 169): "143 of 169", (0, 169): "0 of 169", (0, 3000): "0 (< 0.1%)",
                     (17321, 17321): "all (> 99.97%)", (480, 4000): "12% (11% ... 13%)",
                     (0, 0): None, (None, 9): None}.items():
    tap.equal(stats.share(*counts), said, f"the share {counts}")
for counts, said in {(0, 3000): "<0.1%", (480, 4000): "12%", (1, 9): None}.items():
    tap.equal(stats.short_share(*counts), said, f"the share {counts} without its interval")
tap.equal(round(stats.failing_again([(1, 1, 80), (2, 2, 10)]), 6), 0.1, "tries that failed again")
for counts, said in {(300, 3000): "10%", (4000, 3000): "100%", (300, 2999): None}.items():
    tap.equal(tables.at_most(*counts), said, f"the bound {counts}")
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
