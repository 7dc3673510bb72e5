#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: each number in the prose of a page of recorded runs stands in a table of that page."""
import os
import re

from tap import ROOT, Tap

import prose

PAGES = ("docs/evidence/native.md", "docs/evidence/native-programs.md", "docs/evidence/overhead.md", "docs/evidence/permm.md", "docs/evidence/programs.md", "docs/reference/kernels.md")
ROW = re.compile(r"^ *\|.*$", re.MULTILINE)

tap = Tap()


def unsupported(page):
    rest = re.sub(r"<!-- table .*?<!-- end", "", page, flags=re.DOTALL)
    return prose.unsupported(ROW.sub("", rest), "\n".join(ROW.findall(page)))


for path in PAGES:
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    tap.equal(unsupported(text), [], f"{path}: each number of the prose is in a table")
    tap.equal(unsupported(text + "\nIt was 98,765 once.\n"), ["98,765"], f"{path}: another one is found")
tap.done()
