# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Count the calls in a log of `strace -f -ttt -C` that change an mm, for each mm.

A thread and the child of a vfork share their parent's mm. The child of a fork has its own, and so
has a process from its execve on.
"""
import collections
import dataclasses
import os
import re

# What strace must trace: the system calls that take mmap_lock for write (src/counters/syscalls.c),
# and those that make an mm. Older versions of strace do not know the calls with a question mark.
TRACED = ("mmap", "munmap", "mprotect", "pkey_mprotect", "madvise", "process_madvise", "mremap",
          "brk", "mlock", "mlock2", "munlock", "mlockall", "munlockall", "mbind",
          "?set_mempolicy_home_node", "remap_file_pages", "?mseal", "?map_shadow_stack", "prctl",
          "shmat", "shmdt", "io_setup", "io_destroy", "clone", "clone3", "fork", "vfork",
          "execve", "execveat")
BIRTHS = ("clone", "clone3", "fork", "vfork")
EXECS = ("execve", "execveat")

# The write sections that a call takes in the mm of its caller, and the operation of `uffdload
# writers` for which tests/vm/writers counts exactly these, on each kernel. Only failed calls of
# mmap and mremap may take none.
SECTIONS = {
    "mmap": (1, "mmap"),
    "munmap": (1, "munmap"),
    "mprotect": (1, "mprotect"),
    "pkey_mprotect": (1, "pkey_mprotect"),
    "mremap": (1, "mremap-move"),
    "brk": (1, "brk"),
    "mlock": (1, "mlock"),
    "mlock2": (1, "mlock2"),
    "munlock": (1, "munlock"),
    "mlockall": (1, "mlockall"),
    "munlockall": (1, "munlockall"),
    "mbind": (1, "mbind"),
    "set_mempolicy_home_node": (1, "set_mempolicy_home_node"),
    "remap_file_pages": (1, "remap_file_pages"),
    "mseal": (1, "mseal"),
    "shmat": (1, "shmat"),
    "shmdt": (1, "shmdt"),
    "io_setup": (1, "io_setup"),
    "io_destroy": (1, "io_destroy"),
    "prctl PR_SET_THP_DISABLE": (1, "prctl-thp-disable"),
    "ioctl UFFDIO_REGISTER": (1, "uffd-register"),
    "ioctl UFFDIO_UNREGISTER": (1, "uffd-unregister"),
    "fork": (1, "fork"),
    "vfork": (0, "vfork-exec"),
    "exec": (0, "vfork-exec"),
    "thread": (0, "thread"),
    "madvise MADV_RANDOM": (1, "madvise-random"),
    "madvise MADV_DONTFORK": (1, "madvise-dontfork"),
    "madvise MADV_HUGEPAGE": (1, "madvise-hugepage"),
    "madvise MADV_NOHUGEPAGE": (1, "madvise-nohugepage"),
    "madvise MADV_MERGEABLE": (1, "madvise-mergeable"),
    "madvise MADV_DONTDUMP": (1, "madvise-dontdump"),
    "madvise MADV_WIPEONFORK": (1, "madvise-wipeonfork"),
    "madvise MADV_NORMAL": (1, "madvise-normal"),
    "madvise MADV_SEQUENTIAL": (1, "madvise-sequential"),
    "madvise MADV_DOFORK": (1, "madvise-dofork"),
    "madvise MADV_DODUMP": (1, "madvise-dodump"),
    "madvise MADV_KEEPONFORK": (1, "madvise-keeponfork"),
    "madvise MADV_UNMERGEABLE": (1, "madvise-unmergeable"),
    "madvise MADV_WILLNEED": (0, "madvise-willneed"),
    "madvise MADV_DONTNEED": (0, "madvise-dontneed"),
    "madvise MADV_FREE": (0, "madvise-free"),
    "madvise MADV_COLD": (0, "madvise-cold"),
    "madvise MADV_PAGEOUT": (0, "madvise-pageout"),
    "madvise MADV_POPULATE_WRITE": (0, "madvise-populate"),
    "madvise MADV_POPULATE_READ": (0, "madvise-populate-read"),
}
# Other uses of these calls take no write section, and none do on kernels that refuse them.
CHOSEN = {"prctl": ("PR_SET_VMA", "PR_SET_MM", "PR_SET_THP_DISABLE", "PR_SET_MEMORY_MERGE"),
          "ioctl": ("UFFDIO_REGISTER", "UFFDIO_UNREGISTER")}

LINE = re.compile(r"(\d+) +(\d+\.\d+) (?:<\.\.\. )?(\w+)(\(| resumed>)(.*)")
RESULT = re.compile(r"\)? *= (-?\d+|0x[0-9a-f]+|\?)(?: (E[A-Z0-9]+))?[^=]*$")
UNFINISHED = "<unfinished ...>"
SUMMARY = "% time "
ADVICE = re.compile(r"[^,]*, [^,]*, (\w+)")


class BadLog(Exception):
    """The log cannot be what strace wrote. The text is one line for the user."""


@dataclasses.dataclass
class Call:
    time: float
    task: int
    name: str
    rest: str  # the arguments, and what follows them in the line
    value: str = None  # the result; None of a call that never returned
    error: str = None


@dataclasses.dataclass
class Mm:
    """An mm, and the calls in it: key -> how many. A key is one of SECTIONS, or like one."""
    program: str
    tasks: set = dataclasses.field(default_factory=set)
    calls: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failed: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    @property
    def sections(self):
        return sections(self.calls)


def sections(calls):
    """The write sections of {key: calls}. BadLog when the number of a key is not known."""
    unknown = [key for key in calls if key not in SECTIONS]
    if unknown:
        raise BadLog(f"write sections of a call unknown: {', '.join(sorted(unknown))}")
    return sum(SECTIONS[key][0] * n for key, n in calls.items())


# --- lines ----------------------------------------------------------------------------------------

def finish(call, text):
    """Give the call its result. A call that death has ended has none."""
    result = RESULT.search(text)
    if result and result[1] != "?":
        call.value, call.error = result[1], result[2]


def calls_of(lines):
    """([Call], in the order in which they began, {name: calls} of strace's own summary)."""
    calls, open_calls, summary = [], {}, None
    for line in lines:
        if line.startswith(SUMMARY):
            summary = {}
        if summary is not None:
            words = line.split()
            if len(words) >= 5 and words[0][0].isdigit() and words[-1] != "total":
                summary[words[-1]] = int(words[3])
            continue
        match = LINE.match(line)
        if not match:
            continue
        task, time, name, begins, rest = match.groups()
        if begins != "(":
            finish(open_calls.pop(task, Call(0, 0, name, "")), rest)
            continue
        call = Call(float(time), int(task), name, rest.strip())
        calls.append(call)
        if call.rest.endswith(UNFINISHED):
            open_calls[task] = call
        else:
            finish(call, rest)
    return calls, summary


def check_summary(calls, summary):
    """strace counts what returned; so do we, or we read the log wrongly."""
    if summary is None and calls:
        raise BadLog("strace did not end: no summary")
    summary = summary or {}
    began = collections.Counter(call.name for call in calls)
    ended = collections.Counter(call.name for call in calls if call.value is not None)
    for name in began | summary:
        if not ended[name] <= summary.get(name, 0) <= began[name]:
            raise BadLog(f"{began[name]} {name} in the log, {summary.get(name, 0)} in the summary")


# --- calls ----------------------------------------------------------------------------------------

def key_of(call):
    """The key of SECTIONS, or None of a call that is not counted."""
    if call.name in BIRTHS:
        if "CLONE_THREAD" in call.rest:
            return "thread"
        return "vfork" if shares_mm(call) else "fork"
    if call.name in EXECS:
        return "exec"
    if call.name in CHOSEN:
        if call.error:
            return None
        word = next((w for w in CHOSEN[call.name] if re.search(rf"\b{w}\b", call.rest)), None)
        return word and f"{call.name} {word}"
    if call.name == "madvise":
        return f"madvise {ADVICE.match(call.rest)[1]}"
    return call.name


def shares_mm(call):
    return call.name == "vfork" or "CLONE_VM" in call.rest


def program_of(call):
    path = re.match(r'(?:[^"]*, )?"([^"]*)"', call.rest)
    return os.path.basename(path[1]) if path else "?"


def mms_of(calls, begin, end, attached=""):
    """All mms, with their calls that began in [begin, end], and how many began before.

    attached: the program that strace attached to; all tasks that it had then share an mm.
    """
    mms, of_task, before = [Mm(attached or "?")], {}, 0

    def join(task, mm):
        mm.tasks.add(task)
        of_task[task] = mm
        return mm

    def new(task, program):
        mms.append(Mm(program))
        join(task, mms[-1])

    for call in calls:
        mm = of_task.get(call.task)
        if mm is None:
            if of_task and not attached:
                raise BadLog(f"task {call.task} has no parent")
            mm = join(call.task, mms[0])
        key = key_of(call)
        if key and begin <= call.time <= end:
            mm.calls[key] += 1
            mm.failed[key] += call.error is not None
        before += key is not None and call.time < begin
        if call.error or call.value is None:
            continue
        if call.name in EXECS:
            new(call.task, program_of(call))
        elif call.name in BIRTHS and shares_mm(call):
            join(int(call.value), mm)
        elif call.name in BIRTHS:
            new(int(call.value), mm.program)
    return mms, before


def busiest(mms):
    """The mm with the most write sections, then calls."""
    return max(mms, key=lambda mm: (mm.sections, sum(mm.calls.values())))


def read(path, begin, end, attached=""):
    """([Mm], calls before begin) of the log at path, from begin to end (seconds, of -ttt)."""
    with open(path, encoding="utf-8", errors="replace") as file:
        calls, summary = calls_of(file)
    if not calls and not attached:
        raise BadLog("strace has seen no call, not even the program's exec")
    check_summary(calls, summary)
    return mms_of(calls, begin, end, attached)
