#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: the page of uffdretry-plot --html holds the record's numbers, and nothing of it can become HTML.

The installed program is tested, so that it stands alone.
"""
import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree

from tap import ROOT, Tap, cell, counters, write

tap = Tap()
work = tempfile.TemporaryDirectory()
INSTALLED = os.path.join(work.name, "root")
PLOT = os.path.join(INSTALLED, "usr/bin/uffdretry-plot")
TOOL = os.path.join(INSTALLED, "usr/sbin/uffdretry")
MAN = os.path.join(ROOT, "docs/reference/uffdretry-plot.1")
EVIL = "<script>al&\"'"


def make(target):
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "-s", "-C", ROOT, target, f"DESTDIR={INSTALLED}", "PREFIX=/usr"], env=env, capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def run(*args, data=b""):
    done = subprocess.run([PLOT, *args], capture_output=True, input=data, cwd=work.name, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def path(name):
    return os.path.join(work.name, name)


def tool(script):
    """What is installed beside the plotter."""
    os.makedirs(os.path.dirname(TOOL), exist_ok=True)
    with open(TOOL, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{script}\n")
    os.chmod(TOOL, 0o755)


class Page(html.parser.HTMLParser):
    """The tables, pairs and texts below each heading."""

    def __init__(self, text):
        super().__init__()
        self.text, self.title, self.tags = text, "", []
        self.tables, self.pairs, self.said = {}, {}, {}
        self.data = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.tables.setdefault(self.title, []).append([])
        if tag in ("h1", "h2", "td", "th", "dt", "dd", "p", "pre", "title"):
            self.data = ""

    def handle_data(self, data):
        self.data += data

    def handle_endtag(self, tag):
        if tag in ("h1", "h2"):
            self.title = self.data
        elif tag in ("td", "th"):
            self.tables[self.title][-1].append(self.data)
        elif tag == "dt":
            self.name = self.data
        elif tag == "dd":
            self.pairs[self.name] = self.data
        elif tag in ("p", "pre"):
            self.said.setdefault(self.title, []).append(self.data)


def page_of(records, *args):
    name = write(path("run.jsonl"), records)
    got = run("--html", path("page.html"), *args, name)
    if got[0]:
        tap.check(False, "a page is written", got)
        return Page("")
    with open(path("page.html"), encoding="utf-8") as file:
        return Page(file.read())


# --- a record that is known -----------------------------------------------------------------------

HEAD = {"tool": {"name": "uffdretry", "version": "9.8.7"}, "target": {"pids": [7], "cgroup": None, "command": f"./{EVIL} </title>"},
        "plan": {"name": "retry_state", "exact": True, "self_test": "passed", "kernel_check": "snapshot", "unmeasured": [f"{EVIL} 1"],
                 "hooks": [{"name": f"{EVIL}2", "variant": "fexit", "attached": True, "missed": 3}]}}
SUMMARY = {**counters("summary", {"quiet": 3600, "unrelated": 400, "blocked": 2}, eagain=902, time=1795982981.0), **HEAD}
SUMMARY["host"] = {"kernel": f"7.3-{EVIL}", "arch": "x86_64", "cpus": 2}
SUMMARY["copy"]["returned"] = {"ok": 4000, "EAGAIN": 902, "EEXIST": 98}
SUMMARY["eagain_causes"] = {"entry_mmap_changing": 900, "lock_mmap_changing": 0, "relock_mmap_changing": 2, f"{EVIL}3": 0}
SUMMARY["writers"] = [{"op": "munmap", "syscall": "munmap", "advice": None, "flags": EVIL, "comm": EVIL, "pid": 1234567, "covers_dst": True,
                       "windows": 321, "sections": 654}]
SUMMARY["mmap_changing"] = {"raised": 11, "refused": 900, "lost": 13, "holders": [
    {"op": "remove", "syscall": "madvise", "advice": 77, "pid": 8, "tid": 8, "comm": EVIL, "raised": 11, "held_ns": 9, "longest_ns": 1500000,
     "refused": 890}]}
SUMMARY["lost"] = {"windows": 5, "events": 0, "recursion": 41, "map_full": 0, "rehooks": None, "skipped": {"windows": 1, "calls": 2}}
SUMMARY["causes"] = {"EAGAIN": {"entry": 900, "unknown": 3}}
SUMMARY["short_copy"] = {"EEXIST": {"calls": 4, "bytes": 4096, "at": {"unknown": 4}}}
SUMMARY["advice"] = [{"rule": "pending_event", "text": f"read {EVIL} it"}]
INTERVALS = [counters("interval", {"quiet": 90}, time=1795982970.0 + 2 * n, eagain=10) for n in range(3)]
LOST = [{**interval, "lost": {"windows": n, "rehooks": None if n else 0}, "causes": {"ENOENT": {"entry": 1, "unknown": n}},
         "short_copy": {"EEXIST": {"calls": 4, "bytes": 4096, "at": {"unknown": 4}}}} for n, interval in enumerate(INTERVALS)]
RECORD = [{"type": "start", "schema": 1, "time": 1795982968.0, **HEAD, "host": SUMMARY["host"]}, *INTERVALS, SUMMARY]

got = make("install-plot")
tap.check(got[0] == 0 and os.access(PLOT, os.X_OK), "make install-plot", got)
tool("exit 64")
page = page_of(RECORD)
tables = page.tables
tap.equal(tables.get("EAGAIN by cause"), [["cause", "the call failed because", "calls", "share"],
                                          ["entry_mmap_changing", "event pending when the call began", "900", "99.78%"],
                                          ["relock_mmap_changing", "event raised in the window", "2", "0.22%"]], "EAGAIN by cause")
tap.equal(tables.get("Calls by result", [])[1:], [["ok", "4,000", "800,000"], ["EAGAIN", "902", "180,400"], ["EEXIST", "98", "19,600"]],
          "calls by result, of 5000")
tap.equal(tables.get("Windows by class", [])[1:], [["quiet", "3,600", "90%", "10 µs", "10 µs"], ["unrelated", "400", "10%", "1 ms", "1 ms"],
                                                   ["blocked", "2", "0.05%", "1 ms", "1 ms"]], "windows by class")
verdicts = {row[0]: row[1:] for row in tables.get("Shadow verdicts: what a check would fail", [])}
tap.equal((verdicts.get("check"), verdicts.get("per-MM seq"), verdicts.get("snapshot")),
          (["would fail", "real", "needless", "missed", "needless share (95 % interval)"],
           ["400", "0", "400", "0", "10% (9.1% ... 11%)"], ["0", "0", "0", "0", "< 0.075%"]), "verdicts: 400 of 4000, and the bound 3/4000")
tap.equal(tables.get("Writers in windows", [])[1:], [["munmap", f"munmap {EVIL}", EVIL, "1234567", "yes", "321", "654"]], "writers")
tap.equal(tables.get("Who raised the events", [])[1:], [["remove", "madvise 77", EVIL, "8", "11", "1.5 ms", "890"]], "holders of events")
tap.equal(tables.get("Losses", [])[1:], [["windows whose end was missed", "5"], ["runs of tracing programs that the kernel skipped", "41"],
                                         ["windows missing, at most", "1"], ["calls not counted, nor their EAGAIN, at most", "2"],
                                         ["raises of mmap_changing that could not be recorded", "13"],
                                         ["whether other BPF programs cost calls", "nobody can tell"],
                                         ["failures without a cause", "7"]], "losses")
tap.equal(tables.get("The run", [])[1:], [[f"{EVIL}2", "fexit", "yes", "3"]], "hooks")
tap.equal({name: page.pairs.get(name) for name in ("Kernel", "Tool", "Target", "Ended", "Length", "Plan", "Exact", "Self-test",
                                                   "This kernel's check", "Not measured", "Hypervisor")},
          {"Kernel": f"7.3-{EVIL} x86_64", "Tool": "uffdretry 9.8.7", "Target": f"./{EVIL} </title>", "Ended": "2026-11-29 20:09:41 UTC",
           "Length": "2.0 s", "Plan": "retry_state", "Exact": "yes", "Self-test": "passed", "This kernel's check": "snapshot",
           "Not measured": f"{EVIL} 1", "Hypervisor": None}, "the head of the record")
tap.equal({name: page.pairs.get(name) for name in ("EAGAIN", "PER-MM", "WRONG", "TRUST", "Advice")},
          {"EAGAIN": "902 of 5000 copies (18%). Most frequent: event pending when the call began (900)",
           "PER-MM": "a per-MM check would fail 400 of 4000 checked windows needlessly: 10% (9.1% ... 11%), 95 % interval; "
                     "80,000 per million copies",
           "WRONG": "0 pages filled wrongly in 4000 checked windows; this kernel's check refused 0",
           "TRUST": "plan retry_state (exact), self-test passed; anomalies: 0; windows lost: at most 6",
           "Advice": f"read {EVIL} it"}, "the answers, without the tool")
tap.check("Without uffdretry report: from the members of the record." in page.said.get("Answers", []), "... and the page says so", page.said)
shown = json.loads(page.said["The run"][-1]) if "The run" in page.said else None
tap.equal(shown, SUMMARY, "the summary is there as JSON")

# --- one file that fetches and runs nothing -------------------------------------------------------

svgs = re.findall(r"<svg .*?</svg>", page.text, re.DOTALL)
texts = [" ".join(xml.etree.ElementTree.fromstring(svg).itertext()).split() for svg in svgs]
tap.equal(len(svgs), 5, "the page has the figures eagain, rates, time, windows and writers")
tap.check(all("4002" in text or "270" in text for text in texts) and any("400" in text and "windows" in text for text in texts),
          "their texts are text: the windows of the summary, or of the intervals", texts)
tap.equal([tag for tag, _ in page.tags if tag in ("script", "link", "img", "iframe", "object", "image", "a", "form")], [],
          "no element that runs or fetches anything, whatever the names are")
named = [(name, value) for _, attributes in page.tags for name, value in attributes.items()
         if name.startswith("on") or name in ("src", "href", "xlink:href") and not (value or "").startswith("#")]
tap.equal((named, re.findall(r"url\((?!#)|@import", page.text)), ([], []), "... and no such attribute or style")
tap.check("default-src 'none'" in page.text, "the browser is told to fetch nothing")
ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
tap.equal(len(ids), len(set(ids)), "each id is there once")
unit = page_of([{**SUMMARY, "host": {"kernel": "a\x1b[2J\u202eb\ud800", "arch": "x", "cpus": 2}}])
tap.equal(unit.pairs.get("Kernel"), "a?[2J?b? x", "control characters and those that turn the text around are replaced")

# --- what the record lacks ------------------------------------------------------------------------

page = page_of(RECORD[:-1])
tap.equal(page.tables.get("EAGAIN by cause", [])[1:], [["snapshot", "this kernel's check found a change", "30", "100%"]],
          "without a summary: the sum of the intervals")
tap.equal((page.tables.get("Windows by class", [])[1:], page.pairs.get("Ended")), ([["quiet", "270", "100%", "10 µs", "10 µs"]], "2026-11-29 20:09:34 UTC"),
          "... with their windows, until the last one")
tap.check("The record has no summary. The counts are the sum of its intervals." in "".join(page.text.splitlines()), "... which the page says")
tap.equal(page_of(LOST).tables.get("Losses", [])[1:], [["windows whose end was missed", "3"],
                                                        ["whether other BPF programs cost calls", "nobody can tell"],
                                                        ["failures without a cause", "15"]], "... with what any of them lost or could not tell")
with open(os.path.join(ROOT, "docs/reference/uffdretry.schema.json"), encoding="utf-8") as schema:
    lost = json.load(schema)["$defs"]["counts"]["properties"]["lost"]["properties"]
of_lost = [{name: 6} for name in lost if name != "skipped"] + [{"skipped": {name: 6}} for name in lost["skipped"]["properties"]]
missing = [one for one in of_lost if not any(row[1] == "6" for row in page_of([{**SUMMARY, "lost": one}]).tables.get("Losses", []))]
tap.equal((len(of_lost) > 9, missing), (True, []), "each loss that a record can have is on the page")
tap.equal([row[3] for row in page.tables.get("The run", [])[1:]], ["unknown"], "... and hooks whose skipped runs nobody counted")
with open(path("cut.jsonl"), "wb") as cut:
    cut.write("".join(json.dumps(record) + "\n" for record in RECORD).encode()[:-9])
got = run("--html", "-", path("cut.jsonl"))
tap.check(got[0] == 0 and "cut off" in got[1] and f"{path('cut.jsonl')}:5: truncated" in got[2], "a truncated record: on the page and on stderr", got[2])
NOTHING = {**counters("summary", {}), **HEAD, "copy": {"calls": 0, "returned": {"ok": 0}}, "writers": []}
page = page_of([NOTHING])
tap.check("No call of UFFDIO_COPY and no retry window in 2.0 s." in page.said.get("Answers", []) and "<svg" not in page.text,
          "nothing happened: one line, and no figure", page.said)
OLD = json.loads(json.dumps(SUMMARY))
OLD["windows"]["locked"], OLD["checks"]["per_mm_seq"], OLD["checks"]["per_vma_seq"], OLD["writers"] = None, None, None, None
OLD["plan"].update(kernel_check="none", exact=False)
page = page_of([OLD])
verdicts = {row[0]: row[1:] for row in page.tables.get("Shadow verdicts: what a check would fail", [])}
tap.equal((verdicts.get("per-MM seq"), page.pairs.get("PER-MM"), page.said.get("Windows by class"), page.said.get("Writers in windows")),
          (["unknown"] * 4 + [""], "not measured on this kernel", ["Not measured here: locked."], ["Not measured."]), "what is null is unknown, never 0")
tap.equal((page.pairs.get("Exact"), "this kernel has no check" in page.pairs.get("WRONG", "")), ("no", True), "... and a kernel without a check")

# --- the tool -------------------------------------------------------------------------------------

tool(f'[ "$1" = report ] || exit 64; echo "EAGAIN   7 of 9 <b>{EVIL.replace(chr(34), "")}</b>"; wc -l <"$2"')
page = page_of(RECORD)
tap.equal(page.said.get("Answers"), ["EAGAIN   7 of 9 <b><script>al&'</b>\n5", "Printed by uffdretry report."],
          "the first screen is that of uffdretry report, as text")
tool('echo half; exit 1')
tap.check("half" not in page_of(RECORD).text, "... unless it fails")
REAL = os.path.join(ROOT, "uffdretry")
if os.access(REAL, os.X_OK):
    os.remove(TOOL)
    shutil.copy(REAL, TOOL)
    for name, says in (("balloon", "EAGAIN   9643 of 12413 copies (77.7%). Cause: unread userfaultfd event (9643)"),
                       ("legacy", "PER-MM   not on this kernel: it has no mm_lock_seq")):
        record = os.path.join(ROOT, f"tests/cli/records/{name}.json")
        got = run("--html", path("page.html"), record)
        with open(path("page.html"), encoding="utf-8") as file:
            page = Page(file.read())
        report = subprocess.run([REAL, "report", record], capture_output=True, text=True, check=False).stdout.strip("\n")
        answers = page.said.get("Answers", [""])
        tap.equal((got[0], answers[-1], page.pairs.get("Hypervisor")), (0, "Printed by uffdretry report.", "TCGTCGTCGTCG"),
                  f"the page of a real record, {name}, with the tool itself")
        tap.check(answers[0] == report and says in report.splitlines(), "... has what uffdretry report prints", answers)
else:
    tap.skip("the page with the tool itself: make uffdretry")

# --- refusals -------------------------------------------------------------------------------------

for description, says, records, status in (("two runs in a file", "more than one run", [SUMMARY, SUMMARY], 1),
                                           ("a sweep", "more than one run", [cell({"quiet": 1})], 1),
                                           ("events alone", "no summary and no interval",
                                            [{"type": "event", "schema": 1, "class": "quiet", "window_ns": 1, "retake_ns": 1, "checks": {}}], 1)):
    got = run("--html", path("refused.html"), write(path("refused.jsonl"), records))
    tap.check(got[0] == status and not got[1] and says in got[2] and got[2].count("\n") == 1 and not os.path.exists(path("refused.html")),
              f"refused: {description}", got)
got = run("--html", path("x.html"), path("run.jsonl"), path("run.jsonl"))
tap.check(got[0] == 64 and "uffdretry-plot: --html takes one FILE" in got[2], "refused: two files", got)
got = run("--html", path("run.jsonl"), path("cut.jsonl"))
tap.check(got[0] == 64 and "must end in .html" in got[2] and os.path.getsize(path("run.jsonl")) > 1000, "refused: to overwrite a record", got)
got = run("--html", path("missing/x.html"), path("run.jsonl"))
tap.check(got[0] == 1 and got[2].count("\n") == 1 and "No such file" in got[2], "refused: a directory that is missing", got)
got = run("--check", "--html", path("x.html"), path("run.jsonl"))
tap.check(got == (0, f"{path('x.html')}\n", "") and not os.path.exists(path("x.html")), "--check writes no page", got)

# --- the output in a directory of others ----------------------------------------------------------

os.mkdir(path("shared"))
OUT = path("shared/p.html")


def written(description):
    """The page is in place of what was at OUT, as a file of its own."""
    done = subprocess.run(["timeout", "60", PLOT, "--html", OUT, path("run.jsonl")], capture_output=True, text=True, check=False)
    here = os.lstat(OUT)
    tap.equal((done.returncode, done.stderr, os.listdir(path("shared")), here.st_mode), (0, "", ["p.html"], os.stat(path("run.jsonl")).st_mode), description)
    tap.check(here.st_size > 10000, "... the whole page", here)


victim = write(path("victim"), [])
os.symlink(victim, OUT)
written("a link is replaced")
tap.equal(os.path.getsize(victim), 0, "... and not followed")
os.remove(OUT)
os.mkfifo(OUT)
written("a FIFO is replaced, and not waited for")
before = os.stat(OUT)
cut = subprocess.run(["sh", "-c", 'ulimit -f 8; exec timeout 60 "$@"', "sh", PLOT, "--html", OUT, path("run.jsonl")], capture_output=True, text=True, check=False)
tap.equal((cut.returncode, cut.stdout, cut.stderr), (1, "", f"uffdretry-plot: {OUT}: File too large\n"), "a page that is too large is named")
tap.equal((os.listdir(path("shared")), os.stat(OUT)), (["p.html"], before), "... and the one before it stays")

# --- descriptors, help and manual -----------------------------------------------------------------

def run_with(redirection, *args):
    done = subprocess.run(["sh", "-c", f'"$@" {redirection}', "sh", PLOT, *args], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


got = run_with("2>&-", "--html", "-", path("cut.jsonl"))
tap.check(got[0] == 0 and got[1].endswith("</html>\n"), "stderr is closed: no message behind the page", got[1][-200:])
got = run_with(">&-", "--html", "-", path("run.jsonl"))
tap.equal(got, (1, "", "uffdretry-plot: stdout: Bad file descriptor\n"), "stdout is closed")
got = run_with("<&-", "-")
tap.equal(got, (1, "", "uffdretry-plot: -: Bad file descriptor\n"), "stdin is closed")
more = counters("summary", {"quiet": 1})
more["checks"]["per_mm_seq"]["spurious"] = 2
tap.check(page_of([counters("summary", {"quiet": 1}, chains=((0, 10), (2, 0)))]).tables, "chains of no failure: a page all the same")
tap.check(page_of([more]).tables, "more verdicts than windows, as at the end of an interval: a page all the same")

got = run("--help")
OPTION = re.compile(r"--?[a-z][a-z-]*")
of_help = {word for line in re.findall(r"^  (-.*?)(?:  |$)", got[1], re.MULTILINE) for word in OPTION.findall(re.sub(r"\{.*?\}", "", line))}
manual = open(MAN, encoding="utf-8").read()
of_manual = {word for line in re.findall(r"^\.It (Fl.*)$", manual, re.MULTILINE)
             for word in OPTION.findall(line.replace("Fl Fl ", "--").replace("Fl ", "-").split(" Ar ")[0].split(" Cm ")[0])}
tap.equal((got[0], sorted(of_manual)), (0, sorted(of_help)), "the manual has the options of --help")
tap.check(len(of_help) >= 8, "... which are some", of_help)
tap.equal(re.findall(r"^\.It Cm (\w+)$", manual, re.MULTILINE), re.search(r"\{(eagain[a-z,]*)\}", got[1])[1].split(","),
          "the manual has the figures of --help")
if shutil.which("mandoc"):
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "style", MAN], capture_output=True, text=True, check=False).stdout
    tap.equal([line for line in lint.splitlines() if "referenced manual not found" not in line], [], "the manual is clean")
make("uninstall-plot")
os.remove(TOOL)
tap.equal([name for _, _, names in os.walk(INSTALLED) for name in names], [], "make uninstall-plot leaves nothing")
work.cleanup()
tap.done()
