# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Read JSON lines of uffdretry and of tools/evidence/sweep, and check all that is used of them.

Whatever the bytes are, read_runs() returns Runs or raises BadInput.
"""
import dataclasses
import gzip
import json
import sys
import zlib

CLASSES = ("quiet", "unrelated", "locked", "tolerated", "replaced", "hidden", "false_alarm", "real",
           "gone", "blocked", "aborted", "undetermined")
REACHED = CLASSES[:8]  # reached a check
LOCKED = CLASSES[2:8]  # this VMA was write-locked
CHECKS = ("ops_pointer", "snapshot", "address", "per_vma_seq", "per_mm_seq", "kernel")
COMPARED = {"per_mm_seq": "per-MM seq", "per_vma_seq": "per-VMA seq", "snapshot": "snapshot"}
CANNOT_RUN = 77  # the status of a load that lacks something on that kernel
LIMIT = 1 << 62  # counters are unsigned 64-bit, and figures add them up


class BadInput(Exception):
    """Bad input. The text is one line for the user."""


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
    time: float
    elapsed: float
    kernel: str
    windows: dict  # class -> count
    spurious: dict  # check -> windows, or None where it cannot be evaluated
    durations: dict  # class -> [(min, max, count)], nanoseconds
    writers: list
    chains: list  # [(min, max, count)], failures in a row
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
    def rate(self):
        """Write operations a second, as made and not as requested. None without a load."""
        return writes_per_second(self.result) if self.result else None


# --- lines ----------------------------------------------------------------------------------------

def open_bytes(path):
    if path == "-":
        return sys.stdin.buffer
    return gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")


def read_bytes(path):
    try:
        with open_bytes(path) as file:
            return file.read()
    except (OSError, EOFError, zlib.error) as err:
        raise BadInput(f"{path}: {getattr(err, 'strerror', None) or err}") from err


def no_constant(text):
    raise ValueError(f"{text} is not JSON")


def parse_line(data, where, last):
    """The object in one line. last: it has no newline, so its end may be missing."""
    try:
        record = json.loads(data.decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError) as err:
        if last:
            raise BadInput(f"{where}: truncated: the last line ends in the middle") from err
        raise BadInput(f"{where}: not JSON: {' '.join(str(err).split())[:120]}") from err
    if not isinstance(record, dict) or not isinstance(record.get("type"), str):
        raise BadInput(f"{where}: not a record: no \"type\"")
    return record


def read_records(path):
    """All records of a file (.gz too, - is stdin), each with its place: [(where, record)]."""
    lines = read_bytes(path).split(b"\n")
    last = len(lines) - 1
    places = [(n, f"{path}:{n + 1}") for n, line in enumerate(lines) if line.strip()]
    records = [(where, parse_line(lines[n], where, n == last)) for n, where in places]
    if not records:
        raise BadInput(f"{path}: empty")
    return records


# --- fields ---------------------------------------------------------------------------------------

def get(record, path, where, kinds, default=...):
    """The member at a dotted path, of one of these kinds; default when it is absent or null."""
    value = record
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None and default is not ...:
        return default
    if not isinstance(value, kinds) or isinstance(value, bool) and kinds is not bool:
        wrong = "missing" if value is None else "not what it should be"
        raise BadInput(f"{where}: {path} is {wrong}")
    return value


def count(record, path, where, default=...):
    value = get(record, path, where, int, default)
    if value is not default and not 0 <= value <= LIMIT:
        raise BadInput(f"{where}: {path} is out of range")
    return value


def number(record, path, where, default=...):
    value = get(record, path, where, (int, float), default)
    if value is not default and not 0 <= value <= LIMIT:
        raise BadInput(f"{where}: {path} is out of range")
    return value


def text(record, path, where, default=...):
    """The text on one line, in characters that a font can draw."""
    value = get(record, path, where, str, default)
    return "".join(c if c.isprintable() else "?" for c in value)[:80]


def buckets(record, path, where):
    found = []
    for n, bucket in enumerate(get(record, path, where, list, [])):
        here = f"{where}: {path}[{n}]"
        low, high, amount = (count(bucket, name, here) for name in ("min", "max", "count"))
        if low > high or found and low <= found[-1][1]:
            raise BadInput(f"{here}: the bounds are not in order")
        found.append((low, high, amount))
    return found


def writers(record, where):
    rows = []
    for n, row in enumerate(get(record, "writers", where, list, [])):
        here = f"{where}: writers[{n}]"
        covers = get(row, "covers_dst", here, bool, False)
        rows.append(Writer(text(row, "op", here), covers, count(row, "windows", here)))
    return rows


# --- records to runs ------------------------------------------------------------------------------

def classes(record, where):
    """A class that this kernel cannot have (6.1: locked) is null, and counts as 0."""
    found = {c: count(record, f"windows.{c}", where, 0) for c in CLASSES}
    if sum(found.values()) != count(record, "windows.total", where):
        raise BadInput(f"{where}: the classes are not windows.total")
    return found


def run_of_counters(kind, record, where, kernel):
    """Of a summary or an interval."""
    return Run(
        where=where, kind=kind, kernel=kernel,
        time=number(record, "time", where, 0), elapsed=number(record, "elapsed_s", where, 0),
        windows=classes(record, where),
        spurious={c: count(record, f"checks.{c}.spurious", where, None) for c in CHECKS},
        durations={c: buckets(record, f"hist_ns.window.{c}", where) for c in CLASSES},
        writers=writers(record, where), chains=buckets(record, "chains.lengths", where), raw=record)


class Events:
    """All events of a file, as one run: there may be millions."""

    def __init__(self):
        self.windows = dict.fromkeys(CLASSES, 0)
        self.spurious = dict.fromkeys(CHECKS, 0)
        self.lengths = {c: {} for c in CLASSES}
        self.first = None

    def add(self, record, where):
        name = text(record, "class", where)
        if name not in CLASSES:
            raise BadInput(f"{where}: no such class: {name}")
        length = count(record, "retake_ns", where, None)
        if length is None:
            length = count(record, "window_ns", where)
        self.first = self.first or (where, number(record, "time", where, 0))
        self.windows[name] += 1
        self.lengths[name][length] = self.lengths[name].get(length, 0) + 1
        for check in CHECKS:
            said = text(record, f"checks.{check}", where, "")
            self.spurious[check] += said == "EAGAIN" and name not in ("real", "hidden")

    def run(self, kernel):
        where, time = self.first
        durations = {c: [(ns, ns, n) for ns, n in sorted(lengths.items())]
                     for c, lengths in self.lengths.items()}
        return Run(where=where, kind="events", time=time, elapsed=0, kernel=kernel,
                   windows=self.windows, spurious=self.spurious, durations=durations, writers=[],
                   chains=[])


def writes_per_second(result):
    """The loads say `writer`, and `uffdload free` says `writes`."""
    if isinstance(result.get("writer"), dict):
        return number(result, "writer.per_s", "result")
    return count(result, "writes", "result", 0) / max(number(result, "elapsed_s", "result"), 1e-9)


def run_of_cell(record, where):
    summary = get(record, "summary", where, dict)
    run = run_of_counters("cell", summary, where, text(record, "kernel.series", where))
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


def runs_of(records):
    kernel, events = "", Events()
    for where, record in records:
        kind = record["type"]
        if kind in ("start", "summary"):
            kernel = text(record, "host.kernel", where, "")
        if kind == "cell" and record.get("status") == CANNOT_RUN:
            continue  # this load cannot run on that kernel
        if kind == "cell":
            yield run_of_cell(record, where)
        elif kind in ("summary", "interval"):
            yield run_of_counters(kind, record, where, kernel)
        elif kind == "event":
            events.add(record, where)
    if events.first:
        yield events.run(kernel)


def read_runs(paths):
    """The runs of all files, in their order. BadInput when one has none."""
    found = []
    for path in paths:
        runs = list(runs_of(read_records(path)))
        if not runs:
            raise BadInput(f"{path}: no summary, interval, event or cell in it")
        found += runs
    return found


def read_program(path):
    """The run in a record of tests/programs/record, one JSON object; None without a summary."""
    record = parse_line(read_bytes(path), path, False)
    if record["type"] != "program":
        raise BadInput(f"{path}: not the record of a program")
    if record.get("summary") is None:
        return None
    summary = get(record, "summary", path, dict)
    run = run_of_counters("summary", summary, path, text(summary, "host.kernel", path))
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
