# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""One page of HTML for one run: answers, figures, tables, and the record's head. It needs no other file.

Every string of the record passes through escaped().
"""
import datetime
import html
import json

import stats
from figures import CAUSE_NAMES, caption, rate_text
from records import BadInput, CHECKS, CLASSES, REACHED, classes, count, final, get, hides_calls, lost_windows, number, printable, text, was_rehooked

ROWS = 50  # of writers and of holders
TEXT = 400  # characters of one string
CHECK_NAMES = {"ops_pointer": "ops pointer", "snapshot": "snapshot", "address": "address", "per_vma_seq": "per-VMA seq",
               "per_mm_seq": "per-MM seq", "kernel": "this kernel"}
LOSSES = {  # by place in the record
    "anomalies": "windows whose facts contradict each other",
    "windows.undetermined": "windows without a class, because a fact was lost",
    "lost.windows": "windows whose end was missed",
    "lost.map_full": "what could not be followed, because a map was full",
    "lost.rehooks": "times other tracers may have cost calls",
    "lost.events": "windows without an event",
    "lost.copy_events": "failed copies without an event",
    "lost.changing_events": "raised or lowered mmap_changing without an event",
    "lost.recursion": "runs of tracing programs that the kernel skipped",
    "lost.skipped.windows": "windows missing, at most",
    "lost.skipped.calls": "calls not counted, nor their EAGAIN, at most",
    "lost.skipped.calls_of_pages": "calls whose pages were not counted, at most",
    "lost.skipped.unmaps": "unmaps missing (replaced looks tolerated or locked), at most",
    "lost.skipped.children": "children of COMMAND missing, at most",
    "mmap_changing.lost": "raises of mmap_changing that could not be recorded",
    "chains.lost": "pages whose chain of failures could not be followed",
    "write_sections.other": "write sections of writers without a row",
    "write_sections.unseen": "write sections whose writer was missed",
}
STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #111; background: #fff; max-width: 60rem; margin: 0 auto;
  padding: 0 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.5rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; padding-top: .75rem; border-top: 1px solid #ccc; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0 .5rem; }
.dim { color: #555; }
.warn { border-left: 4px solid #D55E00; padding-left: .75rem; }
pre { font: 13px/1.35 ui-monospace, monospace; background: #f5f5f5; padding: .75rem; overflow-x: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .5rem 0; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: .2rem .75rem .2rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e2e2e2; }
th { border-bottom: 2px solid #999; }
.n { text-align: right; }
td.n { white-space: nowrap; }
figure { margin: 1.25rem 0; overflow-x: auto; }
figure svg { display: block; width: 100%; min-width: 34rem; max-width: 44rem; height: auto; }
summary { cursor: pointer; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
@media print {
  body { font-size: 10pt; max-width: none; padding: 0; }
  figure, tr, dl { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  figure svg { min-width: 0; }
  .wide, pre, figure { overflow: visible; }
  pre { white-space: pre-wrap; font-size: 8.5pt; }
  table { font-size: 9pt; }
}
"""


# --- HTML -----------------------------------------------------------------------------------------

def escaped(value):
    return html.escape(printable(str(value), TEXT))


def number_text(n):
    return "unknown" if n is None else f"{n:,}"


def table(head, rows, words=1):
    """The first columns are words, the others numbers. None is unknown."""
    def line(cells, kind):
        cells = [(number_text(c) if c is None or isinstance(c, int) else c) for c in cells]
        return "<tr>" + "".join(f"<{kind}{' class=n' if n >= words else ''}>{escaped(c)}</{kind}>"
                                for n, c in enumerate(cells)) + "</tr>\n"
    body = "".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table>\n<thead>{line(head, "th")}</thead>\n<tbody>\n{body}</tbody></table></div>\n'


def pairs(rows):
    body = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>\n" for name, value in rows)
    return f"<dl>\n{body}</dl>\n"


def section(title, *parts, level=2):
    """None and empty parts are left out; without any, the title too."""
    found = "".join(part for part in parts if part)
    return f"<h{level}>{escaped(title)}</h{level}>\n{found}" if found else ""


def paragraph(said, kind=""):
    return f"<p{f' class={kind}' if kind else ''}>{escaped(said)}</p>\n" if said else ""


# --- the record -----------------------------------------------------------------------------------

class Record:
    """The counts of a run and what its head says, each member checked."""

    def __init__(self, recording):
        self.where, self.counts, self.head = recording.path, recording.counts, recording.head
        self.runs, self.whole = final(recording.runs), recording.summaries > 0
        self.windows = classes(self.counts, self.where)
        self.total = sum(self.windows.values())
        self.checked = sum(self.windows[c] for c in REACHED)
        self.calls = self.count("copy.calls")
        self.eagain = self.count("copy.returned.EAGAIN", 0)
        self.missing = lost_windows(self.counts, self.where)
        self.hidden, self.rehooked = hides_calls(self.counts, self.where), was_rehooked(self.counts, self.where)

    def count(self, path, default=None):
        return count(self.counts, path, self.where, default)

    def text(self, path, default="unknown"):
        return text(self.head, path, self.where, default)

    def list(self, path):
        return get(self.counts, path, self.where, list, [])

    def causes(self):
        """[(cause, calls)], the most first."""
        names = get(self.counts, "eagain_causes", self.where, dict, {})
        found = [(name, self.count(f"eagain_causes.{name}", 0)) for name in names]
        return sorted((row for row in found if row[1]), key=lambda row: -row[1])

    def target(self):
        command, cgroup = (text(self.head, f"target.{name}", self.where, "", TEXT) for name in ("command", "cgroup"))
        pids = get(self.head, "target.pids", self.where, list, [])
        return command or (cgroup and f"cgroup {cgroup}") or (
            "pid " + ", ".join(str(pid) for pid in pids[:20]) if pids else "every process")

    def when(self):
        """Of its end."""
        time = max(run.time for run in self.runs)
        at = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
        return f"{at:%Y-%m-%d %H:%M:%S} UTC" if time else "unknown"


def percent(k, n):
    """Nearly all is not 100 %."""
    return f"{100 * k / n:.4g}%" if n and 0.99 < k / n < 1 else stats.percent(k / n) if n else ""


def share(k, n):
    """12% (95 %: 10% ... 15%)"""
    low, high = stats.interval(k, n)
    if not n:
        return ""
    if not k:
        return f"< {stats.percent(high)}"
    return f"{percent(k, n)} ({stats.percent(low)} ... {stats.percent(high)})"


# --- the answers, without the tool ----------------------------------------------------------------

def eagain_answer(r):
    if r.calls is None:
        return "unknown"
    if not r.eagain:
        return f"none {'seen ' if r.hidden else ''}in {r.calls} copies"
    most = "".join(f". Most frequent: {CAUSE_NAMES.get(name, name)} ({n})" for name, n in r.causes()[:1])
    return f"{r.eagain} of {r.calls} copies" + (f" ({percent(r.eagain, r.calls)})" if r.calls else "") + most


def per_mm_answer(r):
    needless = r.count("checks.per_mm_seq.spurious")
    if needless is None:
        return "not measured on this kernel"
    if r.checked:
        most = "" if get(r.head, "plan.exact", r.where, bool, False) else "at most "
        per_copy = f"; {rate_text(1e6 * needless / r.calls)} per million copies" if r.calls and needless else ""
        return (f"a per-MM check would fail {most}{needless} of {r.checked} checked windows needlessly: "
                f"{share(needless, r.checked)}, 95 % interval{per_copy}")
    if r.missing or not r.calls:
        return f"unknown: {r.missing} windows were lost at most" if r.missing else "unknown: no copy was seen"
    if r.rehooked:
        return "unknown: other tracers may have cost calls"
    return f"no window came to a check in {r.calls} copies: a per-MM check could fail {share(0, r.calls)} of copies"


def wrong_answer(r):
    missed, refused = r.count("checks.kernel.missed"), r.count("checks.kernel.eagain")
    if not r.checked or missed is None:
        seen = "was seen to come" if r.missing or r.rehooked else "came"
        return "unknown" if r.checked else f"no page: no window {seen} to a check"
    refusals = "this kernel has no check" if r.text("plan.kernel_check") == "none" else \
        f"this kernel's check refused {refused}"
    return f"{missed} pages filled wrongly in {r.checked} checked windows; {refusals}"


def trust_answer(r):
    exact = get(r.head, "plan.exact", r.where, bool, None)
    how = r.text("plan.exactness", "") or {True: "exact", False: "not exact", None: "exactness unknown"}[exact]
    return (f"plan {r.text('plan.name')} ({how}), self-test {r.text('plan.self_test')}; "
            f"anomalies: {r.count('anomalies', 'unknown')}; windows lost: {'at most ' if r.missing else ''}{r.missing}")


def answers(r):
    if not r.calls and not r.total:
        seconds = number(r.counts, "elapsed_s", r.where, 0)
        seen = " was seen" if r.missing or r.hidden else ""
        return paragraph(f"No call of UFFDIO_COPY and no retry window{seen} in {seconds:.1f} s.") + \
            pairs([("TRUST", trust_answer(r))])
    rows = [("EAGAIN", eagain_answer(r)), ("PER-MM", per_mm_answer(r)), ("WRONG", wrong_answer(r)),
            ("TRUST", trust_answer(r))]
    advice = [("Advice", text(row, "text", r.where, most=TEXT)) for row in r.list("advice")[:5]]
    return pairs(rows + advice)


# --- tables ---------------------------------------------------------------------------------------

def results(r):
    found = get(r.counts, "copy.returned", r.where, dict, {})
    rows = [(name, r.count(f"copy.returned.{name}", 0)) for name in list(found)[:ROWS]]
    rows = [(name, n, f"{rate_text(1e6 * n / r.calls)}") for name, n in rows if n and r.calls]
    return table(("result", "calls", "per million copies"), rows) if rows else paragraph("No call was seen.")


def causes(r):
    rows = [(name, CAUSE_NAMES.get(name, ""), n, percent(n, r.eagain))
            for name, n in r.causes()]
    return table(("cause", "the call failed because", "calls", "share"), rows, 2) if rows else \
        paragraph(f"No call {'was seen to fail' if r.hidden else 'failed'} with EAGAIN.")


def duration(ns):
    for unit, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if ns >= unit:
            return f"{ns / unit:.3g} {name}"
    return f"{ns:.3g} ns"


def windows(r):
    rows = []
    for c in (c for c in CLASSES if r.windows[c]):
        found = stats.merge(run.durations[c] for run in r.runs)
        times = [duration(stats.quantile(found, q)) if stats.total(found) else "unknown" for q in (0.5, 0.99)]
        rows.append((c, r.windows[c], percent(r.windows[c], r.total), *times))
    absent = [c for c in CLASSES if r.count(f"windows.{c}") is None]
    found = table(("class", "windows", "share", "p50 (within 12.5 %)", "p99"), rows) if rows else \
        paragraph("No retry window.")
    return found + paragraph(f"Not measured here: {', '.join(absent)}." if absent else "", "dim")


def verdicts(r):
    rows = []
    for check in CHECKS[:-1]:
        found = [r.count(f"checks.{check}.{of}") for of in ("eagain", "real", "spurious", "missed")]
        rows.append((CHECK_NAMES[check], *found, "" if found[2] is None else share(found[2], r.checked)))
    if not r.checked or all(row[1] is None for row in rows):
        return ""
    return table(("check", "would fail", "real", "needless", "missed", "needless share (95 % interval)"), rows)


def kernel_verdict(r):
    found = [r.count(f"checks.kernel.{of}") for of in ("eagain", "real", "spurious", "missed", "seen", "absent")]
    if not any(found):
        return ""
    return table(("check", "failed", "real", "needless", "missed", "answers seen", "without a check"),
                 [(r.text("plan.kernel_check"), *found)])


def words(row, where, *names):
    """The members that are there; a number is of what the tool has no name for."""
    found = [get(row, name, where, (str, int), None) for name in names]
    return " ".join(printable(str(value)) for value in found if value is not None)


def more(rows):
    return paragraph(f"{len(rows) - ROWS} more rows are in the record." if len(rows) > ROWS else "", "dim")


def writers(r):
    if not r.whole or not r.checked and not r.list("writers"):
        return ""
    if get(r.counts, "writers", r.where, list, None) is None:
        return paragraph("Not measured.")
    rows = [(text(row, "op", r.where), words(row, r.where, "syscall", "advice", "flags"), text(row, "comm", r.where),
             str(count(row, "pid", r.where)), "yes" if get(row, "covers_dst", r.where, bool, False) else "no",
             count(row, "windows", r.where), count(row, "sections", r.where, None)) for row in r.list("writers")]
    if not rows:
        return paragraph("No writer was seen in a window.")
    names = "operation", "call", "comm", "pid", "covers the destination", "windows", "write sections"
    return table(names, rows[:ROWS], 5) + more(rows)


def held(ns):
    return duration(ns) if ns else "not lowered yet"


def holders(r):
    rows = [(text(row, "op", r.where), words(row, r.where, "syscall", "advice"), text(row, "comm", r.where),
             str(count(row, "pid", r.where)), count(row, "raised", r.where), held(count(row, "longest_ns", r.where)),
             count(row, "refused", r.where)) for row in r.list("mmap_changing.holders")]
    names = "event", "call", "comm", "pid", "raised", "held at most", "calls refused"
    return table(names, rows[:ROWS], 4) + more(rows) if rows else ""


def unexplained(r):
    """Failures without a cause, and what stopped a short copy likewise."""
    causes, short = (get(r.counts, of, r.where, dict, {}) for of in ("causes", "short_copy"))
    return sum(r.count(f"causes.{errno}.unknown", 0) for errno in causes) + \
        sum(r.count(f"short_copy.{errno}.at.unknown", 0) for errno in short)


def losses(r):
    lost = get(r.counts, "lost", r.where, dict, {})
    if not lost:
        return paragraph("Unknown.")
    rows = [(said, n) for path, said in LOSSES.items() for n in (r.count(path),) if n]
    if lost.get("rehooks", 0) is None:
        rows.append(("whether other BPF programs cost calls", "nobody can tell"))
    if unexplained(r):
        rows.append(("failures without a cause", unexplained(r)))
    return table(("what", "count"), rows) if rows else paragraph("Nothing was lost.")


def hooks(r):
    """Only a summary has their skipped runs: the head of an incomplete record is from the start."""
    rows = []
    for n, hook in enumerate(get(r.head, "plan.hooks", r.where, list, [])[:200]):
        where = f"{r.where}: plan.hooks[{n}]"
        rows.append((text(hook, "name", where), text(hook, "variant", where),
                     "yes" if get(hook, "attached", where, bool, False) else "no",
                     count(hook, "missed", where, None) if r.whole else None))
    found = table(("hook", "variant", "attached", "runs skipped"), rows, 3)
    return f"<details><summary>{len(rows)} hooks</summary>\n{found}</details>\n" if rows else ""


def head(r):
    unmeasured = [printable(str(name)) for name in get(r.head, "plan.unmeasured", r.where, list, [])[:ROWS]]
    exact = {True: "yes", False: "no", None: "unknown"}[get(r.head, "plan.exact", r.where, bool, None)]
    rows = [("Kernel", f"{r.text('host.kernel')} {r.text('host.arch', '')}"),
            ("CPUs online", count(r.head, "host.cpus", r.where, "unknown")),
            *([("Hypervisor", r.text("host.hypervisor"))] if r.text("host.hypervisor", "") else []),
            ("Tool", f"{r.text('tool.name')} {r.text('tool.version', '')}"), ("Target", r.target()),
            ("Ended", r.when()), ("Length", f"{number(r.counts, 'elapsed_s', r.where, 0):.1f} s"),
            ("Plan", r.text("plan.name")), ("Exact", exact), ("Self-test", r.text("plan.self_test")),
            ("This kernel's check", r.text("plan.kernel_check")),
            ("Not measured", "; ".join(unmeasured) or "nothing is missing")]
    return pairs(rows)


def raw(recording):
    if not recording.summaries:
        return ""
    try:
        said = json.dumps(recording.counts, indent=1)  # ASCII: a lone surrogate could not be written
    except RecursionError as err:
        raise BadInput(f"{recording.path}: the summary is nested too deeply") from err
    return f"<details><summary>The summary as JSON</summary>\n<pre>{html.escape(said)}</pre></details>\n"


# --- the page -------------------------------------------------------------------------------------

def notes(recording):
    found = [f"The run reported an error: {message}" + (f" (hint: {hint})" if hint else "")
             for message, hint in recording.errors[:ROWS]]
    if recording.cut:
        found.append("The record ends in the middle of a line: the run or its output was cut off.")
    if not recording.summaries:
        found.append("The record has no summary. The counts are the sum of its intervals.")
    return "".join(paragraph(note, "warn") for note in found)


def first_screen(r, report):
    if report:
        lines = "\n".join(printable(line, TEXT) for line in report.split("\n"))
        return f"<pre>{html.escape(lines)}</pre>\n" + paragraph("Printed by uffdretry report.", "dim")
    return answers(r) + paragraph("Without uffdretry report: from the members of the record.", "dim")


def page(recording, drawings=(), report=""):
    """The page for a Recording. drawings: SVG elements. report: what `uffdretry report` prints, or ""."""
    r = Record(recording)
    title = f"uffdretry: {r.target()}"
    figures = "".join(f"<figure>{svg}</figure>\n" for svg in drawings)
    body = [
        f"<h1>{escaped(title)}</h1>\n",
        paragraph(caption(r.runs), "dim"), notes(recording),
        section("Answers", first_screen(r, report)), section("Figures", figures),
        section("EAGAIN by cause", causes(r)), section("Calls by result", results(r)),
        section("Who raised the events", holders(r)), section("Windows by class", windows(r)),
        section("Shadow verdicts: what a check would fail", verdicts(r)),
        section("This kernel's own answers", kernel_verdict(r)), section("Writers in windows", writers(r)),
        section("Losses", losses(r)),
        section("The run", head(r), hooks(r), raw(recording))]
    return ('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            # Also when something of the record came through, nothing is fetched and nothing runs.
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escaped(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{''.join(body)}</body>\n</html>\n")
