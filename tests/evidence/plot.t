#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: tools/plot.py draws the data, and refuses bad input with one line."""
import gzip
import json
import os
import subprocess
import tempfile

from tap import ROOT, Tap, cell, counters, write

import figures
import records
import stats

tap = Tap()
work = tempfile.TemporaryDirectory()
PLOT = os.path.join(ROOT, "tools/plot.py")


def near(a, b):
    return abs(a - b) <= 1e-3 * abs(b)


def run(*args, data=b""):
    """(status, stdout, stderr); without a display."""
    env = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    done = subprocess.run([PLOT, *args], capture_output=True, env=env, input=data, check=False)
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
    figure = figures.FIGURES[name](of)
    return figure and figure.axes[0]


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
bars = [[round(float(y), 6) for _, y in ends] for bar in axes.collections for ends in bar.get_segments()]
tap.check(0.2 in ys(axes) and [0.1, 0.3] in bars, "rate: runs of 10 % and 30 % are one point with their bar", bars)
texts = [text.get_text() for text in figures.FIGURES["rate"](runs, "What follows").texts]
tap.equal(texts[0], "What follows", "rate: the title that it is given")
tap.equal([round(p.get_width()) for p in drawn("writers", runs).patches], [300, 100],
          "writers: elsewhere and covering")
axes = drawn("windows", runs)
tap.equal(sorted(str(line.get_label()) for line in axes.lines), ["locked", "quiet", "unrelated"],
          "windows: a line for each class that is there")
chained = counters("summary", {"quiet": 10}, chains=[(1, 15), (3, 5)])
chains = records.read_runs([write(path("chains.jsonl"), [chained])])
tap.equal([float(y) for y in drawn("chains", chains).lines[0].get_ydata()], [1.0, 0.25],
          "chains: a quarter has three failures or more")
spans = [counters("interval", {"quiet": 90, "unrelated": 10 * n}, time=1000.0 + 2 * n)
         for n in range(4)]
times = records.read_runs([write(path("intervals.jsonl"), spans)])
tap.equal([float(y) for y in drawn("time", times).lines[0].get_ydata()], [45.0, 50.0, 55.0, 60.0],
          "time: windows a second")
tap.check(drawn("time", runs) is None and drawn("rate", times) is None, "no data, no figure")
LENGTHS = [(5000, "quiet"), (7000, "quiet"), (9000, "real")]
events = [{"type": "event", "time": 1.0, "class": c, "retake_ns": ns, "window_ns": 1, "checks": {}}
          for ns, c in LENGTHS]
run_of_events, = records.read_runs([write(path("events.jsonl"), events)])
tap.equal(run_of_events.durations["quiet"], [(5000, 5000, 1), (7000, 7000, 1)],
          "events: their exact lengths")

# --- files ----------------------------------------------------------------------------------------

got = run("-o", work.name, sweep)
tap.check(got[0] == 0 and os.path.getsize(path("rate.png")) > 5000, "one file", got)
others = [path(f"{name}.jsonl") for name in ("intervals", "events", "chains")]
got = run("-o", work.name, "--format", "svg", sweep, *others)
tap.check(got[0] == 0 and got[1].count(".svg\n") == 5, "many files: all five figures", got)
with open(path("rate.svg"), "rb") as file:
    first = file.read()
run("-o", work.name, "--format", "svg", sweep)
with open(path("rate.svg"), "rb") as file:
    tap.check(first == file.read() and b"<svg" in first, "the same data gives the same file")
os.mkdir(path("none"))
got = run("--check", "-o", path("none"), sweep)
tap.check(got[0] == 0 and "rate.png" in got[1] and not os.listdir(path("none")),
          "--check says what it would write, and writes nothing", got)
with gzip.open(path("sweep.jsonl.gz"), "wb") as file:
    file.write(open(sweep, "rb").read())
tap.equal(run("--check", path("sweep.jsonl.gz"))[0], 0, "a compressed file")
tap.equal(run("--check", "-", data=open(sweep, "rb").read())[0], 0, "stdin")

# --- what is no data ------------------------------------------------------------------------------

whole = open(sweep, "rb").read()
refused("an empty file", "empty", spoilt("empty", b""))
refused("a file of empty lines", "empty", spoilt("lines", b"\n\n"))
refused("a truncated file", "truncated:3: truncated", spoilt("truncated", whole[:-100]))
refused("one good file and a truncated one", "truncated", sweep, path("truncated"))
half = open(path("sweep.jsonl.gz"), "rb").read()[:200]
refused("half a compressed file", "half.gz", spoilt("half.gz", half))
broken = whole.splitlines(True)[0] + b"hello\n" + whole
refused("no JSON in the middle", "text:2: not JSON", spoilt("text", broken))
refused("bytes", "bytes:1: not JSON", spoilt("bytes", bytes(range(128, 256)) + b"\n"))
refused("deep nesting", "deep:1: not JSON", spoilt("deep", b"[" * 100000 + b"\n"))
refused("not an object", "no \"type\"", spoilt("array", b"[1]\n"))
refused("not a number", "not JSON", spoilt("nan", b'{"type":"interval","time":NaN}\n'))
refused("records without windows", "no summary", spoilt("start", b'{"type":"start"}\n'))
refused("a missing file", "No such file", path("missing"))
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
bad = json.loads(json.dumps(SWEEP[1]))
bad["summary"]["windows"]["quiet"] += 1
refused("classes that do not sum to the windows", "not windows.total", write(path("bad"), [bad]))
bad["summary"] = "hello"
refused("a summary that is none", "summary", write(path("bad"), [bad]))
work.cleanup()
tap.done()
