#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: documents and comments avoid phrases that readers stumble over, and long lines of prose; tables are whole.

usage: tests/lint/prose.t [TREE]
"""
import re

from lint import Lint, comments_of, files, read

# Each with what to write instead.
PHRASES = (
    (r"for nothing", "needless"),
    (r"to be had|(can|could|cannot|can't) be had", "say who has or offers it"),
    (r"re-?tak(e|es|en|ing)|tak(e|es|en|ing) again", "relock"),
    (r"copy worker", "copy loop"),
    (r"of (which|whom|whose)", "two sentences"),
    (r"(what|which|that) (was|were|is|are) not seen", "missed, or lost"),
    (r"made to order", "say how it is made"),
    (r"as it always does", "unchanged"),
    (r"noted are", "a subject first"),
    (r", for (it|they|he|she|we|you|there|nobody|nothing|somebody) ", "because"),
)
PATTERN = re.compile("|".join(rf"(?P<p{i}>(?<![\w-]){p}(?!\w))" for i, (p, _) in enumerate(PHRASES)), re.IGNORECASE)
COLUMNS = 120


def prose_of(path, text):
    """The lines of prose in text, without code, and without the tables and link targets of Markdown."""
    if path.endswith((".c", ".h")):
        return comments_of(text).splitlines()
    text = re.sub(r"^```.*?^```|^(?: {4}|\t).*?$|^ *\|.*?$|^<!--.*?$", lambda m: re.sub(r"[^\n]", "", m[0]), text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\]\([^)\n]*\)|<?https?://[^\s)>]+>?", "", text)
    return text.splitlines()


def rows_outside(text):
    """Rows of Markdown that no head precedes: a blank line ended their table, and they are shown as text."""
    lines = text.splitlines() + [""]
    for i, line in enumerate(lines[:-1]):
        if line.startswith("|") and not (i and lines[i - 1].startswith("|")) and not re.match(r"\|[-|: ]+$", lines[i + 1]):
            yield i + 1


def find(tree):
    for path in files(tree, "*.md", "docs/**/*.md", "docs/**/*.txt", "docs/**/*.[18]", "tests/README.md", "bench/README.md",
                      "src/**/*.[ch]", "lib/*.[ch]", "load/**/*.[ch]", "repro/*.[ch]", "bench/*.[ch]", "tests/**/*.[ch]"):
        for number, line in enumerate(prose_of(path, read(tree, path)), 1):
            m = PATTERN.search(re.sub(r"`[^`]*`", "", line))
            if m:
                instead = PHRASES[int(m.lastgroup[1:])][1]
                yield f"{path}:{number}: '{m[0].strip(' ,')}': {instead}"
            if path.endswith(".md") and len(line) > COLUMNS:
                yield f"{path}:{number}: {len(line)} columns of prose"
        for number in rows_outside(read(tree, path)) if path.endswith(".md") else ():
            yield f"{path}:{number}: a row outside a table"


lint = Lint(find)
lint.clean(f"no phrase to avoid, no prose beyond column {COLUMNS}, and no row outside a table")
lint.finds("a phrase in a comment is found", "src/version.h", "/* Two calls, of which one fails. */\n", "'of which'")
lint.finds("a phrase in a document is found", "README.md", "\nA lock that is taken again.\n", "relock")
lint.finds("a long line is found", "README.md", "\n" + "word " * 30 + "\n", "columns of prose")
lint.finds("a row after a blank line is found", "README.md", "\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |\n", "a row outside")
lint.done()
