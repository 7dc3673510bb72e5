#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: calls in a log of strace, their write sections, and the tables of native-programs.md."""
import copy
import glob
import io
import os
import re
import tempfile
from contextlib import redirect_stderr
from importlib import machinery, util

from tap import ROOT, Tap, write

import native_programs
import prose
import strace_log
from records import BadInput

tap = Tap()


def error_of(function, *arguments):
    """The text of what it raises."""
    try:
        return f"none, but {function(*arguments)!r}"
    except (BadInput, strace_log.BadLog) as err:
        return str(err)


# --- the log of a program that is known: tests/evidence/known.c -----------------------------------

RECORDED = os.path.join(ROOT, "tests/evidence/strace.log")
with open(RECORDED, encoding="utf-8") as file:
    LINES = file.read().splitlines(keepends=True)
BEGIN, END = (float(line.split()[1]) for line in LINES if "PR_SET_NAME" in line)
mms, before = strace_log.read(RECORDED, BEGIN, END)
KNOWN = {"mmap": 5, "mprotect": 6, "madvise MADV_DONTNEED": 3, "madvise MADV_RANDOM": 1,
         "prctl PR_SET_THP_DISABLE": 1, "thread": 1, "munmap": 7, "vfork": 1, "brk": 1, "exec": 1,
         "fork": 1}
tap.equal([mm.program for mm in mms], ["?", "sh", "known", "true", "known"],
          "an mm each exec and fork")
tap.equal([dict(mm.calls) for mm in mms], [
    {}, {}, KNOWN, {"brk": 1, "mmap": 8, "mprotect": 3, "munmap": 1}, {"mmap": 2}],
    "the calls of each mm, without those before begin and after end")
tap.equal([dict(+mm.failed) for mm in mms],
          [{}, {}, {"mprotect": 2}, {}, {}], "the calls that failed")
tap.equal([len(mm.tasks) for mm in mms], [1, 1, 3, 1, 1],
          "a thread and a vforked child share the mm")
tap.equal([mm.sections for mm in mms], [0, 0, 22, 13, 2], "write sections")
tap.check(strace_log.busiest(mms) is mms[2], "the busiest mm")
tap.equal(before, 23, "calls before begin")

calls, summary = strace_log.calls_of(LINES)
tap.equal((len(calls), sum(summary.values())), (69, 69), "as many calls as strace counted")
tap.equal(len([c for c in calls if c.value is None]), 0,
          "a call that was interrupted has its result")


def read_lines(lines, *more):
    """What read() says of a log with these lines."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as log:
        log.writelines(lines)
        log.flush()
        return strace_log.read(log.name, BEGIN, END, *more)


tap.equal(error_of(read_lines, LINES[:30] + LINES[31:]),
          "12 mprotect in the log, 13 in the summary", "a line that is missing is found")
tap.equal(error_of(read_lines, LINES[:60]), "strace did not end: no summary",
          "a log without an end is found")
killed = [line.replace("= 0\n", "= ?\n") if line.startswith("5724") else line
          for line in LINES]
killed = [line.replace(" 10           munmap", "  3           munmap") for line in killed]
tap.equal(read_lines(killed)[0][2].calls["munmap"], 7, "strace does not count what a kill ended")
tap.equal(read_lines([], "redis")[0], [strace_log.Mm("redis")], "attached, no call")
tap.check("not even" in error_of(read_lines, []), "not attached, no call: the log is no good")
births = [c for c in calls if c.name == "clone"]
others = [c for c in calls if c not in births[:1]]
mms, _ = strace_log.mms_of(others, BEGIN, END, "attached")
tap.equal((mms[0].program, dict(mms[0].calls)), ("attached", {"munmap": 7}),
          "attached: a task that was there before")
tap.check("has no parent" in error_of(strace_log.mms_of, others, BEGIN, END),
          "a task that comes from nowhere is found")


# --- write sections a call: what tests/vm/writers counts ------------------------------------------

def operations():
    """{name: its row} of the tables of `uffdload writers`."""
    found = {}
    for path in glob.glob(os.path.join(ROOT, "load/known/writers/*.c")):
        with open(path, encoding="utf-8") as source:
            rows = re.split(r"(?=\{ \.name = )", source.read())[1:]
        found |= {re.match(r'\{ \.name = "([^"]*)"', row)[1]: row for row in rows}
    return found


ROWS = operations()
for key, (number, name) in strace_log.SECTIONS.items():
    row = ROWS.get(name, "")
    said = row.count(".op = ") + row.count('ADVICE("')
    tap.check(row and said == number and ".many" not in row and ".sections" not in row,
              f"{key}: {number} write sections, as in {name} of uffdload writers", row)
    words = key.split()
    tap.check(number == 0 or f'"{words[-1]}"' in row, f"{name} is about {key}", row)
tap.equal(error_of(strace_log.sections, {"mmap": 1, "madvise MADV_COLLAPSE": 2}),
          "write sections of a call unknown: madvise MADV_COLLAPSE", "another call has no number")

# --- records and tables ---------------------------------------------------------------------------

RECORD = {
    "type": "native-program", "schema": 1, "program": "made", "run": 1, "version": "made 1.0",
    "status": "ok", "unit": "rounds", "date": "2026-01-02T03:04:05+00:00",
    "machine": {"cpu": "a CPU", "cpus": 2, "virtual": True, "memory_kib": 2 << 20,
                "kernel": "7.3.0",
                "arch": "x86_64", "mitigations": {"spectre_v2": "IBRS"}},
    "alone": {"work": 3000, "seconds": 10.0, "load": [0.5, 1.0]},
    "traced": {"work": 1000, "seconds": 5.0, "load": [1.0, 1.5]},
    "mms": 2, "calls_before": 50, "mm": {
        "program": "made", "tasks": 3,
        "calls": {"mmap": 90, "munmap": 30, "madvise MADV_FREE": 40}},
}
# 300 rounds a second alone; 0.12 sections and 0.16 calls a round.
RATES = {"calls_per_s": 48.0, "sections_per_s": 36.0, "slowdown": 1.5}
tap.equal(native_programs.rates(RECORD), RATES,
          "rates: calls a work under strace, times the speed alone")
RECORD |= RATES
SECOND = copy.deepcopy(RECORD) | {"run": 2, "sections_per_s": 72.0, "calls_per_s": 96.0,
                                  "slowdown": 3.0}
SECOND["alone"]["work"] = 6000
BAD = {"type": "native-program", "program": "bad", "run": 1, "status": "failed: no luck"}
work = tempfile.TemporaryDirectory()
path = write(os.path.join(work.name, "made.jsonl"), [RECORD, SECOND, BAD])
parts = native_programs.parts(path)
tap.equal(parts["sections"].splitlines()[2:], ["| made | 36 to 72 | 48 to 96 | `mmap`, 75% | 2 |"],
          "the table of write sections")
NONE = copy.deepcopy(RECORD) | {"sections_per_s": 0.0, "calls_per_s": 12.0}
NONE["mm"]["calls"] = {"madvise MADV_FREE": 40}
none = native_programs.parts(write(os.path.join(work.name, "none.jsonl"), [NONE]))
# At most 3 in a work of 1,000; alone, 300 of it are done in a second.
tap.equal(none["sections"].splitlines()[2:], ["| made | 0 (< 0.9) | 12 | - | 1 |"],
          "no write section at all: a bound")
tap.equal(parts["work"].splitlines()[2:],
          ["| made | made 1.0 | `made` | 2 | 300 to 600 rounds/s | 1.5 to 3 | 50 |"],
          "the table of work")
OTHER = copy.deepcopy(SECOND)
OTHER["machine"] |= {"cpu": "Other(R) CPU", "mitigations": {}}
both = native_programs.parts(write(os.path.join(work.name, "both.jsonl"), [RECORD, OTHER]))
tap.equal(both["sections"].splitlines()[0::2],
          ["| program | write sections/s, a | write sections/s, Other | calls/s, a | calls/s, Other | main operation, of its sections | runs |",
           "| made | 36 | 72 | 48 | 96 | `mmap`, 75% | 2 |"], "each machine has its columns")
tap.check("| mitigation: spectre_v2 | IBRS | - |" in both["machine"], "what only one machine has")
tap.equal(parts["failed"], "- bad: failed: no luck", "a program that failed is named")
tap.check("| load average before a run | 0.50 to 1.00 |" in parts["machine"],
          "the load is in a table")
for change, says in (({"sections_per_s": 37.0}, "sections_per_s is not 36.0"),
                     ({"type": "cell"}, "not a run of a native program"),
                     ({"alone": {"work": 0, "seconds": 1}}, "alone.work is 0"),
                     ({"mm": {"calls": {"mmap": "1"}}}, "mm.calls are not counts")):
    bad = write(os.path.join(work.name, "bad.jsonl"), [RECORD | change])
    tap.check(says in error_of(native_programs.read, bad), f"a record with {change} is refused")

# --- the recorder, with scripts that play the programs --------------------------------------------

loader = machinery.SourceFileLoader("record", os.path.join(ROOT, "tests/programs/native/record"))
record = util.module_from_spec(util.spec_from_loader("record", loader))
loader.exec_module(record)
# Its log is the recorded one, and its work was done while known.c did what is counted.
PLAY = f"""#!/bin/bash
echo "$@" >>"$LOG"
[ "$1" = run ] || exit "${{PREPARES:-0}}"
[ "${{RUNS:-0}}" = 0 ] || {{ echo "no luck" >&2; exit "$RUNS"; }}
log=${{STRACE##*-o}}
[ -z "$STRACE" ] || cp "{RECORDED}" "$log"
work=$([ -n "$STRACE" ] && echo 10 || echo 40)
printf '{{"begin": {BEGIN}, "end": {END}, "work": %d}}' "$work" >"$3/result"
"""
with open(os.path.join(work.name, "play"), "w", encoding="utf-8") as script:
    script.write(PLAY)
os.chmod(script.name, 0o755)
record.HERE = work.name
PROGRAMS = record.PROGRAMS
record.version = lambda packages: "play 1.0"
record.PROGRAMS = {"well": ("play", {}, (), "rounds"),
                   "runs": ("play", {"RUNS": "1"}, (), "rounds"),
                   "prepares": ("play", {"PREPARES": "1"}, (), "rounds")}
os.environ["LOG"] = os.path.join(work.name, "log")
partial = os.path.join(work.name, "partial")


def make(runs, seconds=1):
    """(the records, how often the scripts were called)"""
    open(os.environ["LOG"], "w", encoding="utf-8").close()
    with redirect_stderr(io.StringIO()):
        recording = record.Recording(partial, seconds, work.name)
        recording.make_all(record.PROGRAMS, runs)
    with open(os.environ["LOG"], encoding="utf-8") as log:
        return recording.records, len(log.readlines())


made, called = make(2)
tap.equal([(r["program"], r["run"], r["status"]) for r in made],
          [("well", 1, "ok"), ("runs", 1, "failed: no luck"),
           ("prepares", 1, "failed: prepare: status 1"),
           ("well", 2, "ok")], "a program that fails is recorded, and the others go on")
tap.equal(made[0]["mm"], {"program": "known", "tasks": 3, "calls": KNOWN,
                          "failed": {"mprotect": 2}},
          "the busiest mm is in the record")
tap.equal(made[0]["other_mms"], {"calls": 15, "sections": 15}, "and the sum of the others")
# 22 sections in a tenth of the work of a quarter: 4 times as much in the same time alone.
tap.equal(made[0]["sections_per_s"], round(88 / round(END - BEGIN, 6), 3), "its rate is that alone")
made, called = make(2)
tap.equal((len(made), called), (4, 3), "a second time: only what failed is made again")
with open(partial, "a", encoding="utf-8") as file:
    file.write('{"type":"native-pro')
made, called = make(3)
tap.equal(([r["run"] for r in made if r["status"] == "ok"], called), ([1, 2, 3], 6),
          "a line that was cut, and another run")
made, called = make(1, 2)
tap.equal(called, 6, "runs of another length are made again")
work.cleanup()
for name, (script, *_) in PROGRAMS.items():
    tap.check(os.access(os.path.join(ROOT, "tests/programs/native", script), os.X_OK),
              f"{name} has a script")

# --- the page -------------------------------------------------------------------------------------

page = native_programs.PAGE.read_text(encoding="utf-8")
if native_programs.DATA.exists():
    tap.equal(native_programs.page.with_parts(page, native_programs.parts()), page,
              "the tables of native-programs.md are what the data says")
tap.done()
