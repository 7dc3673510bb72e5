#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Write docs/evidence/evidence.md, docs/evidence/mail.txt and their figures from the recorded data of tools/evidence/sweep.

The text is in docs/evidence/templates; what stands in {{...}} there is made here, from the data alone. With --check nothing is written:
exit status 1, and what differs, when the documents are not what the data gives.
"""
import argparse
import difflib
import hashlib
import os
import re
import sys

sys.dont_write_bytecode = True
ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.append(os.path.join(ROOT, "tools"))

import cells as plan  # noqa: E402 pylint: disable=wrong-import-position
import claims  # noqa: E402 pylint: disable=wrong-import-position
import mail  # noqa: E402 pylint: disable=wrong-import-position
import plot  # noqa: E402 pylint: disable=wrong-import-position
import records  # noqa: E402 pylint: disable=wrong-import-position
import verdicts  # noqa: E402 pylint: disable=wrong-import-position
from sweepdata import Cells  # noqa: E402 pylint: disable=wrong-import-position

TEMPLATES = os.path.join(ROOT, "docs/evidence/templates")
FIGURES = {
    "rate": "Spurious share against the rate of writers", "windows": "Length of windows", "model": "The model against the length of windows",
    "writers": "Writers", "chains": "Chains of failures",
}


def fail(text):
    print(f"evidence: {text}", file=sys.stderr)
    sys.exit(1)


def checksum(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def value(name, makers, fixed):
    """What {{name}} stands for: a fixed text, or what a method of this name makes of the data. A name without a value is an error."""
    if name in fixed:
        return fixed[name]
    for maker in makers:
        if callable(getattr(maker, name, None)):
            return getattr(maker, name)()
    return fail(f"no value for {name}")


def fill(name, makers, fixed):
    """A template with its {{names}} replaced."""
    with open(os.path.join(TEMPLATES, name), encoding="utf-8") as file:
        return re.sub(r"{{([a-z0-9_]+)}}", lambda match: value(match.group(1), makers, fixed), file.read())


def too_wide(text):
    return [f"mail.txt:{n}: {len(line)} columns" for n, line in enumerate(text.split("\n"), 1) if len(line) > mail.WIDTH]


def of_plan(keys):
    """How many cells, and whether they are all that `tools/evidence/sweep --full` would record."""
    full = {cell.key for cell in plan.full()}
    if set(keys) == full:
        return f"all {len(full)} cells of `--full`"
    return f"{len(keys)} of the {len(full)} cells of `--full`" if set(keys) < full else f"{len(keys)} cells"


def figure_links(cells):
    """{figure_NAME: its link, or that there is none}"""
    return {f"figure_{name}": f"![{FIGURES[name]}](figures/{name}.svg)" if path else f"No figure: nothing in the data. ({FIGURES[name]})"
            for name, path in plot.draw(cells, FIGURES, "figures", "svg", check=True)}


def documents(cells, data, programs):
    """{name: text}"""
    tables = claims.Tables(cells, programs)
    said = verdicts.Verdicts(tables)
    fixed = {**figure_links(cells), "cells": of_plan([run.raw["key"] for run in cells]), "skipped": claims.skipped(records.read_records(data)), "data": os.path.basename(data), "checksum": checksum(data)}
    found = {name: fill(name, (tables, said, mail.Mail(tables, said)), fixed) for name in ("evidence.md", "mail.txt")}
    if too_wide(found["mail.txt"]):
        fail("; ".join(too_wide(found["mail.txt"])))
    return found


def differences(made, directory, source):
    """What of the committed documents is not what the data gives: lines of text."""
    for name, text in made.items():
        path = os.path.join(directory, name)
        try:
            with open(path, encoding="utf-8") as file:
                has = file.read()
        except OSError as err:
            yield f"{path}: {err.strerror}"
            continue
        yield from difflib.unified_diff(has.splitlines(), text.splitlines(), path, "from the data", lineterm="", n=0)
    for figure in (f for f in FIGURES if f"figures/{f}.svg" in made["evidence.md"]):
        path = os.path.join(directory, "figures", f"{figure}.svg")
        try:
            with open(path, encoding="utf-8") as file:
                if source not in file.read():
                    yield f"{path}: not drawn from this data"
        except OSError as err:
            yield f"{path}: {err.strerror}"


def write(made, directory, cells, source):
    figures = os.path.join(directory, "figures")
    os.makedirs(figures, exist_ok=True)
    for name, text in made.items():
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)
    for _ in plot.draw(cells, FIGURES, figures, "svg", source):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FILE", default=os.path.join(ROOT, "docs/evidence/data/sweep.jsonl.gz"), help="of tools/evidence/sweep")
    parser.add_argument("--programs", metavar="DIR", default=os.path.join(ROOT, "docs/evidence/data/programs"),
                        help="summaries of real programs (default docs/evidence/data/programs)")
    parser.add_argument("-o", "--output", metavar="DIR", default=os.path.join(ROOT, "docs/evidence"), help="default docs/evidence")
    parser.add_argument("--check", action="store_true", help="compare with what is there, write nothing")
    args = parser.parse_args()
    try:
        cells = Cells(run for run in records.read_runs([args.data]) if run.load)
        made = documents(cells, args.data, args.programs)
        source = f"data {checksum(args.data)}"
        if not args.check:
            write(made, args.output, cells, source)
            return
        wrong = list(differences(made, args.output, source))
    except records.BadInput as err:
        fail(err)
    except ImportError as err:
        fail(f"{err}: run tools/deps plot")
    if wrong:
        print("\n".join(wrong))
        fail("the documents are not what the data gives: run make evidence")


if __name__ == "__main__":
    main()
