# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Read the JSON of uffdretry and of tools/evidence/sweep, and check all that is used of it.

Whatever the bytes are, read_file() returns a Recording or raises BadInput.
"""
import dataclasses
import datetime

from fields import BadInput, LIMIT, buckets, count, get, number, printable, read_records, text

SCHEMA = 1
TYPES = ("start", "interval", "event", "summary", "error", "list", "self_test", "probe", "diff", "cell")

CLASSES = ("quiet", "unrelated", "locked", "tolerated", "replaced", "hidden", "false_alarm", "real",
           "gone", "blocked", "aborted", "undetermined")
REACHED = CLASSES[:8]  # reached a check
LOCKED = CLASSES[2:8]  # this VMA was write-locked
CHECKS = ("ops_pointer", "snapshot", "address", "per_vma_seq", "per_mm_seq", "kernel")
COMPARED = {"per_mm_seq": "per-MM seq", "per_vma_seq": "per-VMA seq", "snapshot": "snapshot"}
CAUSES = ("entry_mmap_changing", "lock_mmap_changing", "relock_mmap_changing", "vma_lock", "snapshot",
          "pte", "short_copy", "unknown")
OTHER = "other"  # a cause that a later version may add
SUMMED = ("elapsed_s", "copy", "windows", "checks", "eagain_causes", "anomalies", "lost", "mmap_changing",
          "chains", "write_sections", "causes", "short_copy")  # of intervals
EMULATION = "TCGTCGTCGTCG"  # host.hypervisor: QEMU without KVM
CANNOT_RUN = 77  # the status of a load that lacks something on that kernel
MOST = 40  # results of calls


@dataclasses.dataclass
class Writer:
    op: str
    covers: bool
    windows: int


@dataclasses.dataclass
class Run:
    """The content of one summary, one interval or all events of a file, and its cell."""
    where: str
    kind: str  # cell, summary, interval, events
    time: float  # its end; seconds since the epoch
    elapsed: float
    kernel: str
    windows: dict  # class -> count
    spurious: dict  # check -> windows, or None where it cannot be evaluated
    durations: dict  # class -> [(min, max, count)], nanoseconds
    writers: list
    chains: list  # [(min, max, count)], failures in a row
    plan: str = ""
    emulated: bool = False  # the record says that its machine is emulated
    copies: int = None  # calls; None where that is not counted
    returned: dict = None  # result -> calls
    causes: dict = None  # cause of EAGAIN -> calls
    lost: int = 0  # windows, at most
    hidden: bool = False  # calls may be missing, with their results
    rehooked: bool = False  # also with their windows
    load: dict = None  # of a cell: name, rate, what, check, seed
    result: dict = None  # of a cell: the load's own report
    raw: dict = None

    @property
    def total(self):
        return sum(self.windows.values())

    @property
    def reached(self):
        return sum(self.windows[c] for c in REACHED)

    @property
    def file(self):
        """The path of its file."""
        return self.where.rpartition(":")[0]

    @property
    def begin(self):
        return self.time - self.elapsed

    @property
    def date(self):
        """The day of its end in UTC, "" when it is not known."""
        at = datetime.datetime.fromtimestamp(self.time, datetime.timezone.utc)
        return f"{at:%Y-%m-%d}" if self.time else ""

    @property
    def rate(self):
        """Write operations a second, as made and not as requested. None without a load."""
        return writes_per_second(self.result) if self.result else None


def is_ours(record):
    """Whether uffdretry or tools/evidence/sweep wrote it. COMMAND may print JSON as well, with other members."""
    schema = record.get("schema")
    return record["type"] in TYPES and isinstance(schema, int) and not isinstance(schema, bool) and schema >= 0


# --- records to runs ------------------------------------------------------------------------------

def classes(record, where):
    """A class that this kernel cannot have (6.1: locked) is null, and counts as 0."""
    found = {c: count(record, f"windows.{c}", where, 0) for c in CLASSES}
    if sum(found.values()) != count(record, "windows.total", where):
        raise BadInput(f"{where}: the classes are not windows.total")
    return found


def causes(record, where):
    """EAGAIN by cause. None without that member."""
    found = {name: count(record, f"eagain_causes.{name}", where, 0)
             for name in get(record, "eagain_causes", where, dict, {})}
    later = sum(n for name, n in found.items() if name not in CAUSES)
    known = {name: found.get(name, 0) for name in CAUSES}
    return {**known, **({OTHER: later} if later else {})} if found else None


def returned(record, where):
    """Calls by result: the first MOST names."""
    names = list(get(record, "copy.returned", where, dict, {}))[:MOST]
    found = {printable(name): get(record["copy"]["returned"], name, where, int, 0) for name in names}
    if not all(0 <= n <= LIMIT for n in found.values()):
        raise BadInput(f"{where}: copy.returned is out of range")
    return found


def lost_windows(record, where):
    """At most."""
    lost = "lost.windows", "lost.map_full", "lost.skipped.windows"
    return sum(count(record, path, where, 0) for path in lost)


def was_rehooked(record, where):
    """Other BPF programs came or went, or nobody can tell: whole calls may be missing."""
    return get(record, "lost", where, dict, {}).get("rehooks", 0) != 0


def hides_calls(record, where):
    return bool(count(record, "lost.skipped.calls", where, 0)) or was_rehooked(record, where)


def writers(record, where):
    rows = []
    for n, row in enumerate(get(record, "writers", where, list, [])):
        here = f"{where}: writers[{n}]"
        covers = get(row, "covers_dst", here, bool, False)
        rows.append(Writer(text(row, "op", here), covers, count(row, "windows", here)))
    return rows


def time_of(record, where):
    """Seconds since the epoch; 0 without. Not beyond the year 9999."""
    time = number(record, "time", where, 0)
    if time >= 253402300800:
        raise BadInput(f"{where}: time is out of range")
    return time


@dataclasses.dataclass
class About:
    """What the start or summary of a file says of all its records."""
    kernel: str = ""
    plan: str = ""
    emulated: bool = False

    def read(self, record, where):
        self.emulated = text(record, "host.hypervisor", where, "") == EMULATION
        self.kernel = text(record, "host.kernel", where, "")
        self.plan = text(record, "plan.name", where, "")


def run_of_counters(kind, record, where, about):
    """Of a summary or an interval."""
    return Run(
        where=where, kind=kind, kernel=about.kernel, plan=about.plan, emulated=about.emulated,
        time=time_of(record, where), elapsed=number(record, "elapsed_s", where, 0),
        windows=classes(record, where),
        spurious={c: count(record, f"checks.{c}.spurious", where, None) for c in CHECKS},
        durations={c: buckets(record, f"hist_ns.window.{c}", where) for c in CLASSES},
        writers=writers(record, where), chains=buckets(record, "chains.lengths", where),
        copies=count(record, "copy.calls", where, None), returned=returned(record, where),
        causes=causes(record, where), lost=lost_windows(record, where), hidden=hides_calls(record, where),
        rehooked=was_rehooked(record, where),
        raw=None if kind == "interval" else record)


class Events:
    """All events of a file, as one run: there may be millions."""

    def __init__(self):
        self.windows = dict.fromkeys(CLASSES, 0)
        self.spurious = dict.fromkeys(CHECKS, 0)
        self.lengths = {c: {} for c in CLASSES}
        self.first = None

    def add(self, record, where):
        name = text(record, "class", where, "")
        if not name:
            return  # not of a window
        if name not in CLASSES:
            raise BadInput(f"{where}: no such class: {name}")
        length = count(record, "retake_ns", where, None)
        if length is None:
            length = count(record, "window_ns", where)
        self.first = self.first or (where, time_of(record, where))
        self.windows[name] += 1
        self.lengths[name][length] = self.lengths[name].get(length, 0) + 1
        for check in CHECKS:
            said = text(record, f"checks.{check}", where, "")
            self.spurious[check] += said == "EAGAIN" and name not in ("real", "hidden")

    def run(self, about):
        where, time = self.first
        durations = {c: [(ns, ns, n) for ns, n in sorted(lengths.items())]
                     for c, lengths in self.lengths.items()}
        return Run(where=where, kind="events", time=time, elapsed=0,
                   kernel=about.kernel, plan=about.plan, emulated=about.emulated, windows=self.windows,
                   spurious=self.spurious, durations=durations, writers=[], chains=[])


def writes_per_second(result):
    """The loads say `writer`, and `uffdload free` says `writes`."""
    if isinstance(result.get("writer"), dict):
        return number(result, "writer.per_s", "result")
    return count(result, "writes", "result", 0) / max(number(result, "elapsed_s", "result"), 1e-9)


def run_of_cell(record, where):
    summary = get(record, "summary", where, dict)
    about = About()
    about.read(summary, where)
    about.kernel = text(record, "kernel.series", where)
    run = run_of_counters("cell", summary, where, about)
    run.emulated = run.emulated or get(record, "machine.emulated", where, bool, False)
    run.load = {name: text(record, f"load.{name}", where) for name in ("name", "rate", "what")}
    run.load["check"] = text(record, "kernel.check", where, "")
    run.load["seed"] = count(record, "load.seed", where)
    run.result = get(record, "result", where, dict)
    run.raw = record
    try:
        run.rate  # pylint: disable=pointless-statement # is it there?
    except BadInput as err:
        raise BadInput(f"{where}: {err}") from err
    return run


def added(a, b, depth=4):
    """The numbers of two records added up, member by member; None where one of them cannot tell, and for what is no number."""
    if depth and (isinstance(a, dict) or isinstance(b, dict)):
        a, b = (value if isinstance(value, dict) else {} for value in (a, b))
        return {name: added(a.get(name, 0), b.get(name, 0), depth - 1) for name in {**a, **b}}
    return a + b if all(isinstance(n, (int, float)) for n in (a, b)) else None


@dataclasses.dataclass
class Recording:
    """What a file holds."""
    path: str
    runs: list
    head: dict  # the last start or summary; {} without
    counts: dict  # the summary, or the sum of the intervals
    summaries: int
    errors: list  # (message, hint)
    cut: str = ""  # where a record ends in the middle; "" if all are whole
    skipped: int = 0  # lines that are no record, such as the output of COMMAND


class Reader:
    """Takes the records of a file, one after the other."""

    def __init__(self, path):
        self.recording = Recording(path, [], {}, {}, 0, [])
        self.about, self.events = About(), Events()
        self.skipped = ""  # the last line that was

    def cut(self, where):
        self.recording.cut = where

    def skip(self, where):
        self.recording.skipped += where != self.skipped
        self.skipped = where

    def add(self, where, record):
        kind = record["type"]
        if record["schema"] > SCHEMA:
            raise BadInput(f"{where}: schema {str(record['schema'])[:20]} is newer than this program, which knows {SCHEMA}")
        if kind in ("start", "summary"):
            self.about.read(record, where)
            self.recording.head = record
        if kind == "cell" and record.get("status") != CANNOT_RUN:
            self.recording.runs.append(run_of_cell(record, where))
        elif kind in ("summary", "interval"):
            self.recording.runs.append(run_of_counters(kind, record, where, self.about))
        elif kind == "event" and record.get("event", "window") == "window":
            self.events.add(record, where)
        elif kind == "error":
            said = text(record, "message", where, most=300), text(record, "hint", where, "", 300)
            self.recording.errors.append(said)
        if kind == "summary":
            self.recording.counts = record
            self.recording.summaries += 1
        elif kind == "interval" and not self.recording.summaries:
            part = {name: record.get(name) for name in SUMMED}
            self.recording.counts = added(self.recording.counts, part)

    def end(self):
        if self.events.first:
            self.recording.runs.append(self.events.run(self.about))
        return self.recording


def read_file(path):
    """The Recording of a file. BadInput when it has no run."""
    reader, number_of_records = Reader(path), 0
    for where, record in read_records(path, reader.cut, reader.skip):
        if is_ours(record):
            reader.add(where, record)
            number_of_records += 1
        else:
            reader.skip(where)
    found = reader.end()
    if found.runs:
        return found
    if found.errors:
        raise BadInput(f"{path}: the run failed: {found.errors[-1][0]}")
    if number_of_records or found.cut:
        raise BadInput(f"{path}: no whole summary, interval, event or cell of uffdretry -j in it")
    raise BadInput(f"{path}: {'no record of uffdretry -j in it' if found.skipped else 'empty'}")


def read_runs(paths):
    """The runs of all files, in their order. BadInput when one has none."""
    return [run for path in paths for run in read_file(path).runs]


def read_program(path):
    """The run in a record of tests/programs/record, one JSON object; None without a summary."""
    _, record = next(iter(read_records(path)))
    if record["type"] != "program":
        raise BadInput(f"{path}: not the record of a program")
    if record.get("summary") is None:
        return None
    summary, about = get(record, "summary", path, dict), About()
    about.read(summary, path)
    run = run_of_counters("summary", summary, path, about)
    run.load = {"name": text(record, "name", path)}
    return run


# --- runs by load and kernel ----------------------------------------------------------------------

def groups(runs, key):
    """{value of key: runs}, in the order in which the values come."""
    found = {}
    for run in runs:
        found.setdefault(key(run), []).append(run)
    return found


def main_kernel(runs):
    """The stock kernel with the most cells; else any; None without cells."""
    cells = groups([r for r in runs if r.load], lambda r: r.kernel)
    stock = {k: v for k, v in cells.items() if k != "permm"} or cells
    return max(stock, key=lambda k: len(stock[k]), default=None)


def final(runs):
    """The runs that say all, and count nothing twice: of each file the summaries and cells, else the
    intervals, else the events."""
    chosen = []
    for of_file in groups(runs, lambda run: run.file).values():
        for kinds in ("summary", "cell"), ("interval",), ("events",):
            found = [run for run in of_file if run.kind in kinds]
            if found:
                chosen += found
                break
    return chosen
