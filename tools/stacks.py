#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Fold the stacks that uffdretry --stacks -j printed, with the names of user functions.

FILE has JSON lines; stdin without one. The output is for flamegraph.pl and speedscope. Names come
from addr2line and readelf (Debian: binutils), on this machine: run it where the files are that were
mapped. A frame stays FILE+0xOFFSET where its file has no such name, is gone, or is newer than the run.
Exit status: 0 done, 1 an input is not what it should be (one line on stderr), 64 usage.
"""
import argparse
import json
import os
import re
import stat
import subprocess
import sys

PROGRAM = os.path.basename(sys.argv[0])  # installed it is uffdretry-stacks
FRAME = re.compile(r"(/.*)\+0x([0-9a-f]+)")
SEGMENT = re.compile(r" *LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+)")
FUNCTION = re.compile(r" *\d+: ([0-9a-f]+) +(0x[0-9a-f]+|\d+) I?FUNC ")
LINE_OF_DWARF = re.compile(r".*:[1-9]\d*(?: |$)")
PATIENCE = 60  # seconds for an answer about a file
SCHEMA = 1
OBJECT = re.compile(r'^\s*\{|\{(?="type": ?")')  # of a whole line, or a record in one
TRIES = 100  # to find JSON in a line: each that fails costs the time to read it up to there
DECODER = json.JSONDecoder()


def clean(text):
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def say(text):
    if sys.stderr:  # else print() would take stdout
        print(f"{PROGRAM}: {clean(text)}", file=sys.stderr)


def fail(text, status=1):
    say(text)
    sys.exit(status)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(f"{message} (see --help)", 64)


def parse_arguments():
    parser = Parser(prog=PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="JSON of uffdretry --stacks -j")
    parser.add_argument("--sysroot", metavar="DIR", default="",
                        help="look for the mapped files below DIR, as /proc/PID/root")
    return parser.parse_args()


def is_frames(value):
    return value is None or isinstance(value, list) and all(isinstance(f, str) for f in value)


def is_stack(stack):
    return isinstance(stack["comm"], str) and isinstance(stack["sections"], int) and \
        0 <= stack["sections"] < 1 << 64 and is_frames(stack["user"]) and is_frames(stack["kernel"])


def objects_of(line):
    """Yields each object of a line that is one, or has a mark of records. What is no JSON is skipped: output of
    the traced command, also before a record, and a record that is cut off."""
    at, failed = 0, 0
    while failed < TRIES and (found := OBJECT.search(line, at)):
        at = found.end()
        try:
            value, at = DECODER.raw_decode(line, at - 1)
        except (ValueError, RecursionError):
            failed += 1
            continue
        yield value


def is_summary(value):
    """Not JSON of the traced command that has this type."""
    schema = value.get("schema")
    return value.get("type") == "summary" and isinstance(schema, int) and not isinstance(schema, bool) and schema >= 0


def stacks_of(lines, name):
    """Yields each stack of the summaries, and when its run began."""
    summaries = 0
    for record in (value for line in lines for value in objects_of(line) if is_summary(value)):
        summaries += 1
        if record["schema"] > SCHEMA:
            fail(f"{name}: schema {str(record['schema'])[:20]} is newer than this program, which knows {SCHEMA}")
        try:
            began = record["time"] - record["elapsed_s"]
            stacks = record.get("stacks")
            if stacks is None:
                fail(f"{name}: the summary has no stacks: uffdretry --stacks -j")
            for stack in stacks:
                if not is_stack(stack):
                    raise ValueError
                yield stack, began
        except (ArithmeticError, ValueError, TypeError, KeyError):
            fail(f"{name}: not a record of uffdretry -j")
    if not summaries:
        fail(f"{name}: no summary of uffdretry -j in it")


def output_of(*command, text=""):
    """The lines that the command printed; None: it had no answer in time."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, errors="replace",
                              check=False, timeout=PATIENCE, env={**os.environ, "LC_ALL": "C"})
    except OSError as error:
        fail(f"{command[0]}: {error.strerror} (Debian: binutils)")
    except subprocess.TimeoutExpired:
        say(f"{command[0]} had no answer for {command[-1]!a} in {PATIENCE} s, "
            "and is not asked again")
        return None
    return done.stdout.splitlines() if done.returncode == 0 else []


class Files:
    """The files that were mapped. Each is looked at once."""

    def __init__(self, sysroot):
        self.sysroot = sysroot
        # path -> (ctime, [(offset, address, size)], [(address, end)]); None: it has no names
        self.files = {}
        self.newer = set()  # paths that were newer than a run
        self.silent = set()  # paths for which addr2line had no answer, as behind a FIFO
        self.names = {}  # (path, offset) -> name or None

    def look(self, path):
        try:
            found = os.stat(self.sysroot + path)
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        lines = output_of("readelf", "-lsW", "--", self.sysroot + path) or []
        segments = [tuple(int(n, 16) for n in m.groups()) for m in map(SEGMENT.match, lines) if m]
        functions = [(int(m[1], 16), int(m[1], 16) + int(m[2], 0))
                     for m in map(FUNCTION.match, lines) if m]
        return found.st_ctime, segments, functions

    def has_names(self, path, began):
        """Looks at the file, and says whether a run that began then had it as it is."""
        if path not in self.files:
            self.files[path] = self.look(path)
        if not self.files[path]:
            return False
        if self.files[path][0] < began:
            return True
        if path not in self.newer:
            say(f"{path!a} is newer than the run")
            self.newer.add(path)
        return False

    def address(self, path, offset):
        """Where the file says that its byte at offset is; None: nowhere."""
        for start, address, size in self.files[path][1]:
            if start <= offset < start + size:
                return address + offset - start
        return None

    def function(self, path, address):
        """The name of the function that holds the address. Without DWARF, addr2line gives that of
        the last symbol before it, even where that has ended: ask the symbols."""
        if path in self.silent:
            return None
        lines = output_of("addr2line", "-Cf", "-e", self.sysroot + path, text=f"{address:#x}\n")
        if lines is None:
            self.silent.add(path)
            return None
        if len(lines) < 2 or lines[0] == "??":
            return None
        known = LINE_OF_DWARF.match(lines[1]) or \
            any(start <= address < end for start, end in self.files[path][2])
        return lines[0] if known else None

    def name(self, path, offset, began):
        if not self.has_names(path, began):
            return None
        key = (path, offset)
        if key not in self.names:
            address = self.address(path, offset)
            self.names[key] = self.function(path, address) if address is not None else None
        return self.names[key]

    def frame(self, frame, began):
        match = FRAME.fullmatch(frame)
        if not match:
            return frame
        path, offset = match.groups()
        return self.name(path, int(offset, 16), began) or frame


def fold(stack, began, files):
    frames = [stack["comm"]]
    frames += [files.frame(frame, began) for frame in stack["user"] or []]
    frames += [frame + "_[k]" for frame in stack["kernel"] or []]
    return ";".join(clean(frame).replace(";", "?") for frame in frames)


def fold_all(arguments):
    files, lines = Files(arguments.sysroot), {}
    for name in arguments.files or ["-"]:
        try:
            with open(0 if name == "-" else name, encoding="utf-8", errors="replace", closefd=name != "-") as source:
                for stack, began in stacks_of(source, name):
                    line = fold(stack, began, files)
                    lines[line] = lines.get(line, 0) + stack["sections"]
        except OSError as error:
            fail(f"{name}: {error.strerror}")
    return lines


def main():
    lines = fold_all(parse_arguments())
    if not sys.stdout:
        fail("stdout: it is closed")
    try:
        for line, sections in sorted(lines.items(), key=lambda item: (-item[1], item[0])):
            print(line, sections)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        fail(f"stdout: {error.strerror}")


if __name__ == "__main__":
    main()
