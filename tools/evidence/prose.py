# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The numbers of a page's prose: each must be a number of the page's tables.

A number is digits, with or without commas between thousands, with the % after it. What EXEMPT
matches is no number.
"""
import re

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
VERSION = r"\d+(?:\.\d+)+"
LIST = r"(?:,|\sand|\sto)\s+"
EXEMPT = re.compile("|".join((
    r"`[^`\n]*`",  # code
    r"^    .*$",  # command lines
    r"^#+ \d+\. ",  # the number of a heading
    r"^> .*$|^On .* wrote:$",  # what the mail quotes
    r"\[[^]]*\]\(#[^)]*\)|\]\([^)]*\)|<a id=\S*>",  # links and their targets
    r"\b\d{4}-\d\d-\d\d\b",  # dates
    rf"\b(?:\d{{1,2}}\s+)?(?:{MONTHS})[a-z]*\s+(?:\d{{1,2}},\s+)?\d{{4}}\b",
    rf"\b[Cc]laims?\s+\d+(?:{LIST}\d+)*",
    rf"\b(?:Linux|[Kk]ernels?|QEMU)\s+{VERSION}(?:{LIST}{VERSION})*",
    r"\b95\s%\s+(?:upper\s+bound|intervals?)",
    r"\b3/N\b",  # that bound
    r"\b[0-9a-f]{12}\b",  # commits
)), re.MULTILINE)
NUMBER = re.compile(r"(?<!\w)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(\s?%)?")


def numbers(text):
    """[(as written, its value and whether it is a share)]"""
    found = []
    for match in NUMBER.finditer(text):
        value = float(match[1].replace(",", "") + (match[2] or ""))
        found.append((" ".join(match[0].split()), (value, bool(match[3]))))
    return found


def unsupported(prose, tables):
    """Numbers of the prose that no table has, as they are written."""
    known = {value for _, value in numbers(re.sub(r"`[^`\n]*`", "", tables))}
    return [written for written, value in numbers(EXEMPT.sub("", prose)) if value not in known]
