#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: includes follow the arrows of docs/development/internals.md, and make no circle.

usage: tests/lint/arrows.t [TREE]
"""
import graphlib
import os
import re

from lint import Lint, code_of, files, read

# A room is a file, or a directory with what is below it. It may include its own files and those on
# the right.
ARROWS = {
    "src/uffdretry.c": ("src/trace", "src/report", "src/counters", "src/sys"),
    "src/trace": ("uffdretry.skel.h", "uffdretry_plain.skel.h", "src/skipped_runs.h", "src/counters", "src/sys"),
    "src/report": ("src/counters", "src/sys"),
    "src/counters": ("src/sys", "syscall_names.h"),
    "src/sys": (),
    "src/uffdretry.bpf.c": ("src/bpf", "src/classify.h", "src/checks.h", "vmlinux.h"),
    "src/bpf": ("src/classify.h", "src/change_ring.h", "src/checks.h", "src/fingerprint.h", "src/mm_state.h",
                "src/skipped_runs.h", "src/task_slot.h", "vmlinux.h"),
    "src/classify.h": ("src/checks.h",),
    "src/checks.h": (),
    "src/skipped_runs.h": (),
    "src/task_slot.h": (),
    "src/change_ring.h": (),
    "src/fingerprint.h": (),
    "src/mm_state.h": (),
    "src/uffdretry.h": ("vmlinux.h",),
    "src/version.h": (),
    "lib": ("vmlinux.h",),  # in what BPF includes as well
    "load/uffdload.c": ("load/known", "load/native", "load/program", "load/steps"),
    "load/known": ("load/steps",),
    "load/native": ("load/steps",),
    "load/program": ("load/steps",),
    "load/steps": (),
    "repro": (),
}
EVERYONE = ("src/uffdretry.h", "src/version.h", "lib")
ALONE = ("lib", "repro")  # may not even include those

GENERATED = ("uffdretry.skel.h", "uffdretry_plain.skel.h", "syscall_names.h", "fuzz/classes.inc", "vmlinux.h")
SEARCHED = ("src", "load", "tests", "vmlinux", ".")


def room_of(path):
    for room in ARROWS:
        if path == room or path.startswith(room + "/"):
            return room
    return path


def target_of(tree, path, name):
    """The file that path means by name, as the compiler finds it; None if there is none."""
    if name in GENERATED:
        return name
    for directory in (os.path.dirname(path), *SEARCHED):
        target = os.path.normpath(os.path.join(directory, name))
        if os.path.exists(os.path.join(tree, target)):
            return target
    return None


def includes(tree, *patterns):
    """Yields (file, line, target) for each #include "..."."""
    for path in files(tree, *patterns):
        for number, line in enumerate(code_of(read(tree, path)).splitlines(), 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if m:
                target = target_of(tree, path, m[1])
                yield path, number, target, m[1]


def may_include(path, target):
    room, to = room_of(path), room_of(target)
    allowed = ARROWS.get(room, ()) + (() if room in ALONE else EVERYONE)
    return room == to or to in allowed


def module_of(path):
    """A header and its own .c are one; a file that is a room is one alone."""
    return path if path in ARROWS else os.path.splitext(path)[0]


def circle(arrows):
    """Modules that include each other, as A -> B -> A, or None."""
    graph = {}
    for a, b in arrows:
        if a != b:
            graph.setdefault(a, set()).add(b)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return " -> ".join(reversed(error.args[1]))
    return None


def find(tree):
    arrows = []
    for path, line, target, name in includes(tree, "src/**/*.[ch]", "lib/*.[ch]", "load/**/*.[ch]", "repro/*.[ch]"):
        if target is None:
            yield f"{path}:{line}: {name} does not exist"
        elif not may_include(path, target):
            yield f"{path}:{line}: {room_of(path)} may not include {target}"
        else:
            arrows.append((module_of(path), module_of(target)))
    for path, line, target, name in includes(tree, "tests/**/*.[ch]", "bench/*.[ch]"):
        if target is None:
            yield f"{path}:{line}: {name} does not exist"
    while round_trip := circle(arrows):
        yield f"{round_trip}: a circle"
        arrows = [a for a in arrows if a[0] not in round_trip.split(" -> ")]


lint = Lint(find)
lint.clean("each include follows an arrow, and none makes a circle")
for path, name, says in (("src/report/text.c", "trace/tracer.h", "src/report may not include src/trace/tracer.h"),
                         ("src/sys/err.h", "counters/counters.h", "src/sys may not include src/counters/counters.h"),
                         ("load/steps/pace.c", "nosuch.h", "nosuch.h does not exist"),
                         ("load/steps/pace.c", "known/truth.h", "load/steps may not include load/known/truth.h"),
                         ("lib/rig.h", "uffdretry.h", "lib may not include src/uffdretry.h"),
                         ("repro/repro.h", "lib/rig.h", "repro may not include lib/rig.h"),
                         ("src/sys/err.h", "sys/target.h", "a circle")):
    lint.finds(f"{path} with {name} is found", path, f'#include "{name}"\n', says)
lint.done()
