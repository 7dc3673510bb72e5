# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""The generated parts of a Markdown page, which stand between marks."""
import pathlib
import sys

MARKS = ("<!-- table %s -->", "<!-- end %s -->")


def put(text, name, new, marks=MARKS):
    """@text with @new between the marks of @name. SystemExit if it has no such marks."""
    begin, end = (mark % name + "\n" for mark in marks)
    if text.count(begin) != 1 or end not in text.split(begin)[1]:
        sys.exit(f"no {begin.strip()} with its end")
    head, rest = text.split(begin)
    return head + begin + new + "\n" + end + rest.split(end, 1)[1]


def with_parts(text, parts):
    """@text with each part of {name: generated text} in its place, a blank line around it."""
    for name, new in parts.items():
        text = put(text, name, f"\n{new}\n")
    return text


def update(path, parts):
    """Bring the parts of the page at @path up to date."""
    path = pathlib.Path(path)
    path.write_text(with_parts(path.read_text(encoding="utf-8"), parts), encoding="utf-8")


def table(head, rows, words=1):
    """A Markdown table; the first @words columns are words, the others numbers."""
    lines = [head, ["---"] * words + ["--:"] * (len(head) - words), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def without_empty(head, rows):
    """@head and @rows without the columns that have nothing to say: all 0, or all empty."""
    kept = [i for i in range(len(head)) if any(row[i] not in (0, "") for row in rows)]
    return [head[i] for i in kept], [[row[i] for i in kept] for row in rows]


def bullets(items):
    """A Markdown list; "None" when there is nothing."""
    return "\n".join(f"- {item}" for item in items) or "- None"
