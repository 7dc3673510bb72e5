#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: tools/plot.py draws the data, and refuses bad input with one line."""
import contextlib
import gzip
import json
import os
import signal
import subprocess
import tempfile

from tap import ROOT, Tap, cell, counters, write

import figures
import records
import stats
from rate import rate_figure

tap = Tap()
work = tempfile.TemporaryDirectory()
PLOT = os.path.join(ROOT, "tools/plot.py")


def near(a, b):
    return abs(a - b) <= 1e-3 * abs(b)


def run(*args, data=b"", cwd=None, **variables):
    """(status, stdout, stderr); without a display, and ended when it waits for something."""
    env = {k: v for k, v in {**os.environ, **variables}.items() if k != "DISPLAY"}
    done = subprocess.run(["timeout", "60", PLOT, *args], capture_output=True, env=env, input=data, cwd=cwd, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def path(name):
    return os.path.join(work.name, name)


def spoilt(name, data):
    with open(path(name), "wb") as file:
        file.write(data)
    return path(name)


def refused(description, says, *args, status=1):
    got = run(*args)
    one_line = not got[1] and got[2].count("\n") == 1 and says in got[2]
    tap.check(got[0] == status and one_line, description, got)


# --- numbers --------------------------------------------------------------------------------------

low, high = stats.interval(10, 100)
tap.check(near(low, 0.05523) and near(high, 0.17437), "Wilson's interval of 10 in 100", (low, high))
tap.equal(stats.interval(0, 3000), (0.0, 0.001), "of none in 3000 the bound is 3/3000")
tap.equal(stats.interval(0, 0), (0.0, 1.0), "of none in none nothing is known")
tap.equal(stats.quantile([(0, 10, 90), (20, 30, 10)], 0.95), 25, "a quantile is a bucket's middle")
tap.equal(stats.merge([[(0, 1, 2), (5, 6, 1)], [(0, 1, 3)]]), [(0, 1, 5), (5, 6, 1)],
          "histograms add up")

# --- figures --------------------------------------------------------------------------------------

SWEEP = [cell({"quiet": 4000}),
         cell({"quiet": 3600, "unrelated": 400}, "1000", "unrelated", made=900),
         cell({"quiet": 3600, "unrelated": 200, "locked": 200}, "max", "unrelated", made=5000,
              writers=[("mmap", False, 300), ("mmap", True, 100)])]
sweep = write(path("sweep.jsonl"), SWEEP)
runs = records.read_runs([sweep])


def drawn(name, of):
    figure = {**figures.FIGURES, "rate": rate_figure}[name](of)
    return figure and figure.axes[0]


def bars(ax):
    """(where it begins, how wide, how high) of each bar."""
    return [tuple(round(float(n), 6) for n in (p.get_x(), p.get_width(), p.get_height())) for p in ax.patches]


def note(name, of):
    """What stands below the title."""
    return figures.FIGURES[name](of).texts[1].get_text()


def ys(ax):
    points = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == 1]
    return [round(float(y), 6) for y, in points]


axes = drawn("rate", runs)
tap.check({0.1, 0.05, 0.00075} <= set(ys(axes)),
          "rate: shares of 10 % (per-MM), 5 % (per-VMA) and the bound 3/4000", ys(axes))
joined = [float(y) for line in axes.lines for y in line.get_ydata() if len(line.get_ydata()) > 1]
tap.check(0.1 in joined and 0.00075 not in joined, "rate: no line joins a bound", joined)
again = cell({"quiet": 2800, "unrelated": 1200}, "1000", "unrelated", made=900, seed=2)
axes = drawn("rate", records.read_runs([write(path("seeds.jsonl"), [*SWEEP, again])]))
ends = [[round(float(y), 6) for _, y in ends] for bar in axes.collections for ends in bar.get_segments()]
tap.check(0.2 in ys(axes) and [0.1, 0.3] in ends, "rate: runs of 10 % and 30 % are one point with their bar", ends)
texts = [text.get_text() for text in rate_figure(runs, "What follows").texts]
tap.equal(texts[0], "What follows", "rate: the title that it is given")
tap.equal([round(p.get_width()) for p in drawn("writers", runs).patches], [300, 100],
          "writers: elsewhere and covering")
found = figures.FIGURES["windows"](runs).axes
tap.equal([(ax.get_ylabel(), bars(ax)) for ax in found],
          [("quiet", [(8192, 8192, 11200)]), ("unrelated", [(524288, 524288, 600)]), ("locked", [(524288, 524288, 200)])],
          "windows: each class has its windows of 10 us and of 1 ms in the powers of two that hold them")
tap.equal([ax.get_xlabel() for ax in found[-1:]], ["length of the window (emulated)"], "windows: emulated, as the sweep says")
tap.equal(note("windows", runs).splitlines()[0], "kernel 7.3, plan retry_state, 1970-01-01, 12000 windows, emulated",
          "a caption has kernel, plan, date and windows, and says emulated as the record does")
chained = counters("summary", {"quiet": 10}, chains=[(1, 15), (3, 5)])
chains = records.read_runs([write(path("chains.jsonl"), [chained])])
tap.equal([float(y) for y in drawn("chains", chains).lines[0].get_ydata()], [1.0, 0.25],
          "chains: a quarter has three failures or more")
spans = [counters("interval", {"quiet": 90, "unrelated": 10 * n}, time=1000.0 + 2 * n, eagain=10 * n)
         for n in range(4)]
spans[3]["eagain_causes"].update(entry_mmap_changing=70, seen_first_in_2030=4)
START = {"type": "start", "schema": 1, "time": 998.0, "host": {"kernel": "7.3.0-test", "hypervisor": "TCGTCGTCGTCG"},
         "plan": {"name": "retry_state"}}
times = records.read_runs([write(path("intervals.jsonl"), spans)])
tap.equal([float(y) for y in drawn("time", times).lines[0].get_ydata()], [45.0, 45.0, 50.0, 55.0, 60.0],
          "time: windows a second, the first span from its begin on")
of_mm = figures.FIGURES["time"](times).axes[1].lines[0]
tap.equal([(float(x), round(float(y), 6)) for x, y in zip(*of_mm.get_data())], [(1, 0), (3, 10), (5, round(2000 / 110, 6)), (7, 25)],
          "time: the needless share of the per-MM check in percent, in the middle of each span")
axes = drawn("eagain", times)
tap.equal(bars(axes), [(0, 2, 0), (2, 2, 0), (4, 2, 0), (6, 2, 35), (0, 2, 0), (2, 2, 5), (4, 2, 10), (6, 2, 15),
                       (0, 2, 0), (2, 2, 0), (4, 2, 0), (6, 2, 2)], "eagain: calls a second by cause, on each other")
tap.equal([text.get_text() for text in axes.figure.legends[0].get_texts()],
          ["event pending when the call began", "this kernel's check found a change", "causes that this program does not know"],
          "eagain: only the causes that are there")
tap.equal(note("eagain", times), "1970-01-01, 420 windows\n4 intervals of 2 s on average",
          "without a start nothing is said of kernel and plan")
heads = records.read_runs([write(path("start.jsonl"), [START, *spans])])
tap.equal(note("eagain", heads).splitlines()[0], "kernel 7.3.0-test, plan retry_state, 1970-01-01, 420 windows, emulated",
          "QEMU's emulation, as the record's hypervisor says")
write(path("kvm.jsonl"), [{**START, "host": {"kernel": "7.3.0-test", "hypervisor": "KVMKVMKVM"}}, *spans])
tap.check("emulated" not in note("eagain", records.read_runs([path("kvm.jsonl")])), "another hypervisor is no emulation")
many = [counters("interval", {"quiet": 1}, time=1000.0 + 2 * n, eagain=1) for n in range(1000)]
spans_of_many = bars(drawn("eagain", records.read_runs([write(path("many.jsonl"), many)])))
tap.equal((len(spans_of_many), spans_of_many[0], spans_of_many[-1]), (112, (0, 18, 0.5), (1998, 2, 0.5)),
          "a thousand intervals are added up to fewer than 120")
tap.equal(figures.rates_of(times), [("failed with EAGAIN", 3000.0, False), ("retry windows", 21000.0, False),
                                    ("per-MM seq: would fail needlessly", 3000.0, False),
                                    ("per-VMA seq: would fail needlessly", 150.0, True),
                                    ("snapshot: would fail needlessly", 150.0, True)],
          "rates: a million copies; what was never seen in 20000 has the bound 3/20000")
lost = counters("summary", {"quiet": 10})
lost["lost"]["windows"], lost["checks"]["per_vma_seq"] = 1, None
lost = records.read_runs([write(path("lost.jsonl"), [lost])])
tap.equal(figures.rates_of(lost), [("retry windows", 2000.0, False)], "rates: no bound where a window was lost, no row where nothing is known")
for member, shown in (({"rehooks": 7}, 1), ({"rehooks": None}, 1), ({"skipped": {"windows": 0, "calls": 4000}}, 4)):
    hidden = counters("summary", {"quiet": 10})
    hidden["lost"].update(member)
    hidden = records.read_runs([write(path("hidden.jsonl"), [hidden])])
    rows = figures.rates_of(hidden)
    tap.equal((len(rows), rows[0]), (shown, ("retry windows", 2000.0, False)), f"rates: no bound of failures where calls may be missing: {member}")
tap.check(drawn("rates", lost) is not None and drawn("eagain", lost) is None, "rates: drawn without intervals, and eagain not")
four = [write(path(f"four-{n}.jsonl"), [counters("interval", {"quiet": 1}, time=1000.0 + 2 * t, eagain=2 * n) for t in range(2)]) for n in range(5)]
found = figures.FIGURES["eagain"](records.read_runs(four))
tap.equal([(ax.get_title()[-12:], bars(ax)) for ax in found.axes],
          [(f"four-{n}.jsonl", [(0, 2, n), (2, 2, n)]) for n in (1, 2, 3)], "several files: a column for each that has EAGAIN")
tap.check(found.texts[1].get_text().endswith("; the first 3 of 4 files") and found.bbox_inches.width * 110 <= 1000,
          "... three at most, in 1,000 pixels", found.texts[1].get_text())
tap.check(drawn("time", runs) is None and rate_figure(times) is None, "no data, no figure")
both = records.read_runs([write(path("both.jsonl"), [*spans, counters("summary", {"quiet": 7})])])
tap.equal(bars(drawn("windows", both)), [(8192, 8192, 7)], "a summary counts alone: its intervals are in it")
LENGTHS = [(5000, "quiet"), (7000, "quiet"), (9000, "real")]
events = [{"type": "event", "schema": 1, "time": 1.0, "class": c, "retake_ns": ns, "window_ns": 1, "checks": {}}
          for ns, c in [*LENGTHS, (None, None)]]
run_of_events, = records.read_runs([write(path("events.jsonl"), events)])
tap.equal(run_of_events.durations["quiet"], [(5000, 5000, 1), (7000, 7000, 1)],
          "events: their exact lengths")

# --- files ----------------------------------------------------------------------------------------

got = run("-o", work.name, sweep)
tap.check(got[0] == 0 and os.path.getsize(path("windows.png")) > 5000, "one file", got)
others = [path(f"{name}.jsonl") for name in ("intervals", "events", "chains")]
got = run("-o", work.name, "--format", "svg", sweep, *others)
tap.check(got[0] == 0 and got[1].count(".svg\n") == 6, "many files: all six figures", got)
with open(path("windows.svg"), "rb") as file:
    first = file.read()
run("-o", work.name, "--format", "svg", sweep, *others)
with open(path("windows.svg"), "rb") as file:
    tap.check(first == file.read() and b"<svg" in first, "the same data gives the same file")
os.mkdir(path("foreign"))
RC = os.path.join(path("foreign"), "matplotlibrc")


def same_figure(description, **variables):
    got = run("--format", "svg", "--figure", "windows", sweep, *others, cwd=path("foreign"), **variables)
    with contextlib.suppress(OSError), open(os.path.join(path("foreign"), "windows.svg"), "rb") as file:
        got += (file.read(),)
    tap.check(got == (0, "./windows.svg\n", "", first), description, got[:3])
    with contextlib.suppress(OSError):
        os.remove(os.path.join(path("foreign"), "windows.svg"))


with open(RC, "wb") as file:
    file.write(b"text.usetex: True\nfont.size: 20\n")
same_figure("a matplotlibrc of the current directory is not obeyed")
os.rename(RC, path("usetex"))
same_figure("... nor that of MATPLOTLIBRC", MATPLOTLIBRC=path("usetex"))
with open(RC, "wb") as file:
    file.write(b"\xff\n")
same_figure("... nor read, if it is no text")
os.remove(RC)
os.mkfifo(RC)
same_figure("... nor waited for, if it is a FIFO")
os.mkdir(path("none"))
got = run("--check", "-o", path("none"), sweep)
tap.check(got[0] == 0 and "windows.png" in got[1] and not os.listdir(path("none")),
          "--check says what it would write, and writes nothing", got)
cut = subprocess.run(["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", PLOT, "--format", "svg", "-o", path("none"), sweep], capture_output=True, text=True, check=False)
tap.equal((cut.returncode, cut.stdout, cut.stderr), (1, "", f"plot: {path('none')}/rates.svg: File too large\n"), "a figure that is too large is named")
tap.equal(os.listdir(path("none")), [], "... and nothing of it stays")
# A signal comes when the temporary file is whole, and before it has the name.
os.mkdir(path("signals"))
spoilt("signals/sitecustomize.py", b"""
import os
import time
def replace(temporary, _):
    os.stat(temporary)
    os.kill(os.getpid(), int(os.environ["SIGNAL"]))
    time.sleep(30)
os.replace = replace
""")
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    got = run("-o", path("none"), sweep, PYTHONPATH=path("signals"), SIGNAL=str(int(number)))
    tap.equal(got, (-number, "", ""), f"{number.name} ends it")
    tap.equal(os.listdir(path("none")), [], "... and leaves no temporary file")
with gzip.open(path("sweep.jsonl.gz"), "wb") as file:
    file.write(open(sweep, "rb").read())
tap.equal(run("--check", path("sweep.jsonl.gz"))[0], 0, "a compressed file")
whole = open(sweep, "rb").read()
tap.equal(run("--check", "-", data=whole)[0], 0, "stdin")
pretty = "\n".join(json.dumps(record, indent=2) for record in [*spans, SWEEP[0]]).encode()
got = records.read_file(spoilt("pretty", pretty))
tap.equal([(r.kind, r.total) for r in got.runs], [("interval", 90), ("interval", 100), ("interval", 110), ("interval", 120), ("cell", 4000)],
          "JSON on several lines")


def says(description, line, *args, data=b"", printed="windows.png"):
    """One line on stderr, status 0, and the figures."""
    got = run("--check", *args, data=data)
    tap.check(got[0] == 0 and got[2] == f"plot: {line}\n" and printed in got[1], description, got)


COMPACT = json.dumps(counters("summary", {"quiet": 10}), separators=(",", ":")).encode()
CUT = "truncated: the file ends in the middle of a record; what came before is used"
says("the last line is truncated", f"-:3: {CUT}", "-", data=whole[:-100])
says("... after its first byte", f"-:4: {CUT}", "-", data=whole + b"{")
says("... in a string of JSON on several lines", f"-:2: {CUT}", "-", data=whole[:whole.index(b"\n") + 1] + b'{\n  "type": "sum')
tap.equal([r.total for r in records.read_file(spoilt("truncated", whole[:-100])).runs], [4000, 4000], "... the lines before it are used")
says("output of the traced command", "-: lines skipped that are no record: 4", "-",
     data=b"hello\n" + whole.replace(b"\n", b"\n[1]\n", 1) + b'{"mine": 1}\nbye')
for unfinished in b"restored 100%", b'{"log": [\n', b'{"a":\n', b'{"a": "b\n', b'{"log": [', b'{"a": "b', b"{ no JSON\n", \
        b'{"type":"event","schema":1,"time":17', b'{"type":"interval",\n':
    says(f"a summary behind {unfinished}", "-: lines skipped that are no record: 1", "-", data=unfinished + COMPACT)
    tap.equal([r.total for r in records.read_file(spoilt("unfinished", unfinished + COMPACT)).runs], [10], "... is read")
# All in one line.
for what, line in {"a long array": b"[" + b",".join([b'{"type":"load","n":1,"text":"a text"}'] * 250000) + b"]\n",
                   "many beginnings of a record": b"x" + b'{"type": "a\\' * 200000 + b"\n"}.items():
    says(f"a summary behind {what}, in less than a minute", "-: lines skipped that are no record: 1", "-", data=line + COMPACT)
for theirs in b'{"type":"load","schema":2}', b'{"type":"error","msg":"disk"}', b'{"type":"interval","n":1}', \
        b'{"type":"event","class":"big"}', b'{"type":"summary","passed":3}', b'{"type":"summary","schema":true}', b'{"type":"start","schema":"2"}':
    says(f"JSON of the command: {theirs}", "-: lines skipped that are no record: 1", "-", data=COMPACT + b"\n" + theirs + b"\n")
tap.equal([r.total for r in records.read_file(spoilt("nested", b'{"log": [{"type":"summary"}]}\n' + COMPACT)).runs], [10],
          "a summary in JSON of the command is none")
tap.equal([r.total for r in records.read_file(spoilt("pretty", b"{ no JSON\n" + pretty)).runs], [90, 100, 110, 120, 4000],
          "JSON on several lines behind what is no JSON")
says("a run in which nothing happened", "nothing to draw: no call of UFFDIO_COPY, and no window",
     write(path("idle.jsonl"), [{**counters("summary", {}), "copy": {"calls": 0, "returned": {"ok": 0}}}]), printed="")
says("a run without windows", "-: lines skipped that are no record: 1", "-", data=b"x\n" + json.dumps(counters("summary", {})).encode(),
     printed="rates.png")

# --- what is no data ------------------------------------------------------------------------------

refused("an empty file", "empty", spoilt("empty", b""))
refused("a file of empty lines", "empty", spoilt("lines", b"\n\n"))
refused("a file that is truncated in its first record", "no whole summary", spoilt("truncated", whole[:100]))
refused("one good file and such a one", "no whole summary", sweep, path("truncated"))
half = open(path("sweep.jsonl.gz"), "rb").read()[:200]
refused("half a compressed file", "half.gz", spoilt("half.gz", half))
refused("bytes", "no record of uffdretry", spoilt("bytes", bytes(range(128, 256)) + b"\n"))
refused("text", "no record of uffdretry", os.path.join(ROOT, "README.md"))
refused("deep nesting", "no record of uffdretry", spoilt("deep", b'{"type":' * 100000 + b"\n"))
refused("not an object", "no record of uffdretry", spoilt("array", b"[1]\n"))
refused("a newer schema", "newer:1: schema 2 is newer than this program, which knows 1",
        write(path("newer"), [{**counters("summary", {"quiet": 1}), "schema": 2}]))
refused("a run that failed", "the run failed: no BTF", write(path("failed"), [{"type": "error", "schema": 1, "message": "no BTF", "hint": None, "status": 1}]))
refused("not a number", "no record of uffdretry", spoilt("nan", b'{"type":"interval","time":NaN}\n'))
refused("records without counts", "no whole summary", spoilt("start", b'{"type":"start","schema":1}\n'))
refused("a missing file", "No such file", path("missing"))
refused("... whose name would act on the terminal", "?[31m?]0;x?: No such file", path("\x1b[31m\x1b]0;x\x07"))
refused("a directory", "directory", work.name)
refused("an output directory that is missing", "No such file", "-o", path("missing"), sweep)
refused("a figure that has no data", "nothing in the data", "--check", "--figure", "time", sweep)
refused("an unknown figure", "--figure", "--figure", "cake", sweep, status=64)
refused("no file", "required", status=64)
for name, change in {"a negative count": -1, "a text for a count": "7", "a fraction": 1.5,
                     "too large a count": 1 << 70, "no count": None}.items():
    bad = json.loads(json.dumps(SWEEP[0]))
    bad["summary"]["windows"]["total"] = change
    refused(name, "windows.total", write(path("bad"), [bad]))
bad = json.loads(json.dumps(SWEEP[0]))
bad["summary"]["time"] = 1e12
refused("a time after the year 9999", "time is out of range", write(path("bad"), [bad]))
bad = json.loads(json.dumps(SWEEP[1]))
bad["summary"]["windows"]["quiet"] += 1
refused("classes that do not sum to the windows", "not windows.total", write(path("bad"), [bad]))
bad["summary"] = "hello"
refused("a summary that is none", "summary", write(path("bad"), [bad]))
work.cleanup()
tap.done()
