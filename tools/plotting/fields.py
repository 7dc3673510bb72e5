# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Read JSON that anybody may have written: the records of a file, and the members of a record, each checked.

Whatever the bytes are, it is a value of the kind that is asked for, or BadInput.
"""
import gzip
import io
import json
import re
import zlib

LIMIT = 1 << 62  # counters are unsigned 64-bit, and figures add them up
CHUNK = 1 << 20  # characters
LONGEST = 64 << 20  # characters of a record
BLANK = re.compile(r"[ \t\r\n]*")
# A record begins so. In a string of JSON this cannot stand; as a member, it is a part of a cell.
MARK = re.compile(r'(?<!":)(?<!": )\{"type": ?"')
LINE_MARK = re.compile(r'\n\{"type": ?"')
TRIES = 100  # to find JSON in a line: each that fails costs the time to read it up to there


class BadInput(Exception):
    """Bad input. The text is one line for the user."""


# --- lines ----------------------------------------------------------------------------------------

def open_bytes(path):
    if path == "-":
        return open(0, "rb", closefd=False)
    return gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=no_constant)


class Rest:
    """What is left of a file, as far as it was read."""

    def __init__(self, file, path):
        self.file, self.path = file, path
        self.text, self.at, self.line = "", 0, 1
        self.end = -1  # of the line, when it is known
        self.wrong = 0  # how often this line was no JSON

    @property
    def where(self):
        return f"{self.path}:{self.line}"

    def go_to(self, at):
        lines = self.text.count("\n", self.at, at)
        self.wrong = 0 if lines else self.wrong
        self.line += lines
        self.at = at

    def end_of_line(self):
        """As far as it was read. In a long line it is not searched again for each part."""
        if self.end < self.at:
            end = self.text.find("\n", self.at)
            self.end = end if end >= 0 else len(self.text)
        return self.end

    def is_whole_line(self):
        return self.end_of_line() < len(self.text)

    def more(self):
        """Read on. False at the end, or when this is longer than any record."""
        left = len(self.text) - self.at
        read = self.file.read(left + CHUNK) if left < LONGEST else ""
        if read:
            self.text, self.at, self.end = self.text[self.at:] + read, 0, -1
        return bool(read)

    def skip_blank(self):
        """Whether anything follows."""
        self.go_to(BLANK.match(self.text, self.at).end())
        while self.at == len(self.text) and self.more():
            self.go_to(BLANK.match(self.text, self.at).end())
        return self.at < len(self.text)

    def skip_line(self):
        """Up to a record in it."""
        while not self.is_whole_line() and self.more():
            pass
        mark = self.find_mark(self.at, self.end_of_line())
        self.go_to(mark.start() if mark else self.end_of_line())

    def find_mark(self, begin, end):
        return MARK.search(self.text, begin, end) if self.wrong < TRIES else None

    def decode(self):
        """The object here and its end. Behind what is no JSON, None and where a record may begin: at the
        end where the file ends in the middle of it."""
        while True:
            try:
                found, end = DECODER.raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as err:
                if self.may_go_on(err) and self.more():
                    continue
                self.wrong += 1
                return None, self.behind_wrong(getattr(err, "pos", self.at))
            mark = LINE_MARK.search(self.text, self.at, end)
            return (None, mark.start()) if mark else (found, end)

    def may_go_on(self, err):
        """Whether what is wrong may be that the text ends here; or there is no whole line yet."""
        at_end = isinstance(err, json.JSONDecodeError) and \
            (len(self.text) - err.pos < len(r"\uXXXX\uXXXX") or err.msg.startswith("Unterminated"))
        return at_end or not self.is_whole_line()

    def behind_wrong(self, wrong_at):
        """At a record in it, else with the line of the error, if that is not the first one, or the next line."""
        line = max(self.end_of_line(), self.text.rfind("\n", self.at, wrong_at))
        mark = self.find_mark(self.at + 1, line)
        if mark:
            return mark.start()
        return len(self.text) if self.is_cut(wrong_at) else line

    def is_cut(self, wrong_at):
        """Whether the file ends in the middle of an object on one line, or of one on several."""
        if self.text[self.at + 1:self.at + 2] not in ("\r", "\n"):
            return not self.is_whole_line()
        line = self.text.find("\n", BLANK.match(self.text, wrong_at).end())
        return line < 0 or BLANK.match(self.text, line).end() == len(self.text)


def objects(rest, cut, skip):
    """Yield (where, record). cut(where) is called when the file ends in the middle of one, and skip(where) for
    what is no object with a type: a line, a part of it before a record, or an object."""
    while rest.skip_blank():
        where = rest.where
        if rest.text[rest.at] != "{":
            skip(where)
            rest.skip_line()
            continue
        found, end = rest.decode()
        rest.go_to(end)
        if found is None and end == len(rest.text):
            cut(where)
        elif found and isinstance(found.get("type"), str):
            yield where, found
        else:
            skip(where)


def refuse_cut(where):
    raise BadInput(f"{where}: truncated: the file ends in the middle of a record")


def refuse_line(where):
    raise BadInput(f"{where}: not a record: no JSON object with a \"type\"")


def read_records(path, cut=refuse_cut, skip=refuse_line):
    """Yield all records of a file (.gz too, - is stdin), each with its place: (where, record)."""
    try:
        with io.TextIOWrapper(open_bytes(path), "utf-8", "surrogateescape") as file:
            yield from objects(Rest(file, path), cut, skip)
    except (OSError, EOFError, zlib.error) as err:
        raise BadInput(f"{path}: {getattr(err, 'strerror', None) or err}") from err


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


def printable(value, most=80):
    """On one line, without characters that change what a reader sees around them."""
    return "".join(c if c.isprintable() else "?" for c in value[:most])


def text(record, path, where, default=..., most=80):
    return printable(get(record, path, where, str, default), most)


def buckets(record, path, where):
    found = []
    for n, bucket in enumerate(get(record, path, where, list, [])):
        here = f"{where}: {path}[{n}]"
        low, high, amount = (count(bucket, name, here) for name in ("min", "max", "count"))
        if low > high or found and low <= found[-1][1]:
            raise BadInput(f"{here}: the bounds are not in order")
        found.append((low, high, amount))
    return found
