# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""What the lint tests in Python share: a tree of sources, C code without its comments, and TAP."""
import glob
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
TREE = os.path.realpath(sys.argv[1]) if len(sys.argv) > 1 else ROOT
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|(/\*.*?\*/|//[^\n]*)', re.DOTALL)


def files(tree, *patterns):
    """The paths below tree that match a pattern (** is any directories), sorted."""
    return sorted({os.path.relpath(path, tree) for p in patterns for path in glob.glob(os.path.join(tree, p), recursive=True)
                   if os.path.isfile(path)})


def read(tree, path):
    with open(os.path.join(tree, path), encoding="utf-8") as file:
        return file.read()


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_of(text):
    """C with blanks where its comments were: lines and columns stay."""
    return COMMENT.sub(lambda m: blank(m[0]) if m[1] else m[0], text)


def comments_of(text):
    """The reverse: the comments alone."""
    last, parts = 0, []
    for m in COMMENT.finditer(text):
        if m[1]:
            parts += [blank(text[last:m.start()]), m[0]]
            last = m.end()
    return "".join(parts) + blank(text[last:])


class Lint:
    """One test a rule: find(tree) yields its findings, each with FILE:LINE."""

    def __init__(self, find):
        self.find, self.tests, self.failed = find, 0, 0

    def report(self, good, description, found=()):
        self.tests += 1
        self.failed += not good
        print("ok" if good else "not ok", self.tests, "-", description)
        if not good:
            print("".join(f"# {line}\n" for line in found), end="")

    def clean(self, description):
        found = list(self.find(TREE))
        self.report(not found, description, found)

    def finds(self, description, path, text, expected):
        """Test the test: text appended to path, in a copy, gives one more finding, with expected in it."""
        with tempfile.TemporaryDirectory() as tree:
            for part in ("src", "lib", "load", "repro", "docs", "README.md"):
                copy = shutil.copytree if os.path.isdir(os.path.join(TREE, part)) else shutil.copy
                copy(os.path.join(TREE, part), os.path.join(tree, part))
            before = set(self.find(tree))
            with open(os.path.join(tree, path), "a", encoding="utf-8") as file:
                file.write(text)
            new = [finding for finding in self.find(tree) if finding not in before]
        self.report(len(new) == 1 and expected in new[0], description, new)

    def done(self):
        print(f"1..{self.tests}")
        sys.exit(1 if self.failed else 0)
