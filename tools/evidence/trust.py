#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Repeat the long runs that are older than the last change of a hook, and record each as a row.

Usage: trust.py [--list | --short] [RUN...]
  --list   say which runs are due, and why
  --short  run all in minutes, to see that they work; the rows go to build/trust/short.jsonl and nowhere else
By default those that are due are run, one after the other. A row is written when its run has ended, so
an interrupted series goes on with the run that was interrupted. The TAP is in build/trust.
Exits 1 when a run failed: it stays due.
"""
import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import page  # noqa: E402 # pylint: disable=wrong-import-position

DATA = ROOT / "docs/evidence/data/trust.jsonl"
PAGE = ROOT / "docs/evidence/trust.md"
BUILD = ROOT / "build/trust"
# What makes a run old.
HOOKS = ("src/uffdretry.bpf.c", "src/bpf", "src/trace/hook_table.c")
# What must be committed, or no commit names what ran.
SOURCES = ("src", "lib", "load", "tests", "mk", "Makefile")


class Run(NamedTuple):
    """One row: a command of the shell that prints TAP, and a shorter form of it."""
    name: str
    kernel: str
    command: str
    short: str


def kasan(kernel, series):
    command = f"tests/kernel/build kasan {series} >&2 && MEM=3G tests/vm/soak {kernel} %d"
    return Run(kernel, kernel, command % 600, command % 60)


def pair(name, kernel, command, long, short):
    return Run(name, kernel, f"{command} {long}", f"{command} {short}")


RUNS = (
    pair("soak-6.12", "6.12", "tests/vm/soak 6.12", 3600, 60),
    pair("soak-7.3", "7.3", "tests/vm/soak 7.3", 3600, 60),
    kasan("kasan", "7.3"),
    kasan("kasan6.12", "6.12"),
    pair("faults-6.12", "6.12", "tests/vm/faults 6.12", "long", "short refused"),
    pair("faults-7.3", "7.3", "tests/vm/faults 7.3", "long", "short refused"),
    pair("fuzz", "", "make -s fuzz-programs && tests/fuzz/run", 600, 2),
)


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True, text=True).stdout


def commit_now():
    """None in a tree without git, as from a tarball."""
    try:
        return git("rev-parse", "HEAD").strip()
    except (subprocess.CalledProcessError, FileNotFoundError):
        return None


def hooks_now():
    """A name for the content of HOOKS, which a rebase does not change."""
    digest = hashlib.sha256()
    for path in HOOKS:
        for file in sorted((ROOT / path).rglob("*")) or [ROOT / path]:
            digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def read(path=DATA):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def last(rows):
    """The last row of each run, by its name."""
    return {row["run"]: row for row in rows}


def is_good(row):
    return row["passed"] > 0 and not row["failed"] and not row["skipped"]


def why_due(run, row, hooks):
    """None when the run need not be repeated."""
    if row is None:
        return "never run"
    if row["command"] != run.command:
        return "another command"
    if not is_good(row):
        return "failed"
    return None if row["hooks"] == hooks else "a hook has changed"


def count(tap):
    """What these lines of TAP say. Without a plan, or with another number of tests, one more failed."""
    passed = [line for line in tap if line.startswith("ok ") and "# SKIP" not in line]
    failed = [line for line in tap if line.startswith("not ok")]
    skipped = [line for line in tap if re.match(r"(ok|1\.\.0).*# SKIP", line)]
    plan = [int(line[3:].split()[0]) for line in tap if re.match(r"1\.\.\d", line)]
    ran = sum(bool(re.match(r"(not )?ok ", line)) for line in tap)
    return {"passed": len(passed), "failed": len(failed) + (plan != [ran]), "skipped": len(skipped),
            "notes": [line[2:] for line in tap if line.startswith("# ") and not line.startswith("# again")],
            "again": sum(line.startswith("# again: ") for line in tap)}


def version_of(kernel):
    """The version of a kernel in the cache, or what it was built from; None without a kernel."""
    if not kernel:
        return None
    found = subprocess.run([ROOT / "tests/vm/kernels", "path", kernel], check=False, capture_output=True, text=True).stdout.strip()
    if not found:
        return None
    made_of = pathlib.Path(found).parent / "made-of"
    name = pathlib.Path(found).parent.name
    return f"{name}: {made_of.read_text(encoding='utf-8').split()[0]}" if made_of.exists() else name


def execute(run, short):
    """Run it, and return its row."""
    BUILD.mkdir(parents=True, exist_ok=True)
    commit, command, begun = commit_now(), run.short if short else run.command, time.monotonic()
    with open(BUILD / f"{run.name}.tap", "w+", encoding="utf-8", errors="replace") as tap:
        status = subprocess.run(["bash", "-c", command], cwd=ROOT, stdout=tap, stdin=subprocess.DEVNULL, check=False).returncode
        tap.seek(0)
        counted = count(tap.read().splitlines())
    counted["failed"] += bool(status) and not counted["failed"]
    return {"run": run.name, "command": command, "kernel": version_of(run.kernel), "commit": commit, "hooks": hooks_now(),
            "date": datetime.date.today().isoformat(), "seconds": round(time.monotonic() - begun), "short": short, **counted}


def append(path, row):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def commit_of(row):
    return row["commit"][:12] if row["commit"] else f"before {row['recorded_in']}"


def parts(rows):
    """The generated part of the page."""
    body = [[row["run"], f"`{row['command']}`", row["kernel"] or "-", row["date"], commit_of(row),
             f"{row['passed']} of {row['passed'] + row['failed'] + row['skipped']}"] for row in last(rows).values()]
    return {"runs": page.table(["run", "command", "kernel", "date", "commit", "checks passed"], body, words=5)}


def main(words):
    short, listed = "--short" in words, "--list" in words
    names = [word for word in words if not word.startswith("-")]
    unknown = set(names) - {run.name for run in RUNS} | {word for word in words if word.startswith("-")} - {"--short", "--list"}
    if unknown:
        sys.exit(f"trust.py: unknown: {', '.join(sorted(unknown))}\n{__doc__}")
    chosen = [run for run in RUNS if not names or run.name in names]
    rows, hooks = last(read()), hooks_now()
    due = {run: why_due(run, rows.get(run.name), hooks) for run in chosen}
    if listed:
        for run, why in due.items():
            print(f"{run.name:12} {why or 'current'}")
        return 0
    if not short and (not commit_now() or git("status", "--porcelain", "--", *SOURCES)):
        sys.exit("trust.py: commit first: a row names the commit that ran")
    failed = 0
    for run in chosen:
        if not (short or due[run]):
            continue
        print(f"{run.name}: {run.short if short else run.command}", file=sys.stderr)
        row = execute(run, short)
        failed += not is_good(row)
        print(f"{run.name}: {row['passed']} passed, {row['failed']} failed, {row['skipped']} skipped in {row['seconds']} s")
        append(BUILD / "short.jsonl" if short else DATA, row)
        if not short:
            page.update(PAGE, parts(read()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
