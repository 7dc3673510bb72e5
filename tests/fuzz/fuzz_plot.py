#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The reader and the page of tools/plot.py on broken records: a whole page, or one line that refuses it.

usage: tests/fuzz/fuzz_plot.py SECONDS [SEED]; exit status 77 when there is no matplotlib.
"""
import html.parser
import os
import random
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path[:0] = [os.path.join(ROOT, "tools/plotting")]
try:
    import records
    import webpage
except ModuleNotFoundError as missing:
    print(missing)
    sys.exit(77)

TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "pre", "dl", "dt", "dd", "div", "table", "thead", "tbody", "tr", "th",
        "td", "details", "summary"}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class"}
CORPUS = os.path.join(ROOT, "tests", "fuzz", "corpus", "plot")
HOSTILE = [b"null", b"-1", b"1e999", b"NaN", b"18446744073709551616", b'"\\ud800"', b"[]", b"{}",
           b"true", b'"\xff"', b"\0", b"\x1b[2J", b"[" * 5000, b"[" * 950 + b"]" * 950, b"0.5", b'"' + b"x" * 300 + b'"', b'"<script src=x>&\'"', b'"<b onclick=\\"x\\">"']


def mutated(data, rng):
    """A few cuts, swaps and hostile values in it, mostly where a value or a name is."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        colon = data.find(b":", at)
        what = rng.randrange(5)
        if what == 0 and colon >= 0:
            ends = [end for end in (data.find(b",", colon), data.find(b"}", colon)) if end >= 0]
            data[colon + 1:min(ends, default=colon + 1)] = rng.choice(HOSTILE)
        elif what == 1:
            data[at:at + rng.randrange(1, 40)] = b""
        elif what == 2:
            data[at:at] = rng.choice(HOSTILE)
        elif what == 3 and data:
            data[at % len(data)] = rng.randrange(256)
        else:
            data = data[:at]
    return bytes(data)


class Tags(html.parser.HTMLParser):
    """What of a page could run or fetch something."""

    def __init__(self, text):
        super().__init__()
        self.bad = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in TAGS or any(name not in ATTRIBUTES for name, _ in attrs):
            self.bad.append((tag, attrs))


def page_of(recording):
    """The page, without figures. None when the record has no counts."""
    if not recording.counts:
        return None
    page = webpage.page(recording)
    page.encode()  # no lone surrogate
    bad = Tags(page).bad
    if bad:
        sys.exit(f"{bad!r} in the page")
    return page


def harmless(text):
    return len(text.splitlines()) <= 1 and all(c.isprintable() for c in text)


def main():
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    rng, end, runs, refused = random.Random(seed), time.monotonic() + seconds, 0, 0
    seeds = [open(os.path.join(CORPUS, name), "rb").read() for name in sorted(os.listdir(CORPUS))]
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "input.json")
        for data in seeds:
            with open(path, "wb") as file:
                file.write(data)
            page_of(records.read_file(path))
        while time.monotonic() < end:
            data = mutated(rng.choice(seeds), rng)
            with open(path, "wb") as file:
                file.write(data)
            runs += 1
            try:
                page_of(records.read_file(path))
            except records.BadInput as err:
                refused += 1
                if not harmless(str(err)):
                    sys.exit(f"{str(err)!r} for {data!r}")
            except Exception:
                print(f"input: {data!r}", file=sys.stderr)
                raise
    print(f"stat::number_of_executed_units: {runs}\n{refused} of them refused")
    if refused in (0, runs):
        sys.exit("nothing was refused, or everything")


main()
