# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP for the tests in Python, and known numbers in cells like those of tools/evidence/sweep."""
import json
import os
import sys

sys.dont_write_bytecode = True
ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "tools/plotting"), os.path.join(ROOT, "tools/evidence")]

from records import CHECKS, CLASSES  # noqa: E402 # pylint: disable=wrong-import-position


class Tap:
    """Counts the tests, and prints each."""

    def __init__(self):
        self.tests = 0
        self.failed = 0

    def check(self, good, description, *more):
        self.tests += 1
        print(("ok" if good else "not ok"), self.tests, "-", description)
        if not good:
            self.failed += 1
            print("\n".join(f"# {line}" for text in more for line in str(text).splitlines()))

    def equal(self, has, wanted, description):
        self.check(has == wanted, description, f"has    {has!r}", f"wanted {wanted!r}")

    def skip(self, why):
        self.tests += 1
        print("ok", self.tests, "# SKIP", why)

    def done(self):
        print(f"1..{self.tests}")
        sys.exit(1 if self.failed else 0)


def counters(kind, windows, chains=(), writers=(), time=1000.0, eagain=0, reissued=(0, 0)):
    """A summary or interval with these windows by class. A quiet one takes 10 us, others 1 ms."""
    classes = {c: windows.get(c, 0) for c in CLASSES}
    locked = sum(classes[c] for c in ("locked", "tolerated", "replaced", "false_alarm"))
    lengths = {c: 10000 if c == "quiet" else 1000000 for c in CLASSES}
    alarms = classes["false_alarm"]
    spurious = {"per_mm_seq": locked + classes["unrelated"], "per_vma_seq": locked,
                "snapshot": alarms, "address": alarms, "ops_pointer": 0, "kernel": alarms}
    return {
        "type": kind, "schema": 1, "time": time, "elapsed_s": 2.0,
        "host": {"kernel": "7.3.0-test", "arch": "x86_64", "cpus": 2},
        "plan": {"name": "retry_state", "exact": True, "self_test": "passed",
                 "kernel_check": "snapshot"},
        "copy": {"calls": 5000, "pages": 4000, "bytes": 4000 * 4096,
                 "returned": {"ok": 4000, "EAGAIN": eagain}},
        "windows": {"total": sum(classes.values()), **classes},
        "by_kind": {"hugetlb": dict.fromkeys(CLASSES, 0)},
        "checks": {c: {"eagain": spurious[c], "real": 0, "spurious": spurious[c], "missed": 0}
                   for c in CHECKS},
        "eagain_causes": {"snapshot": eagain},
        "hist_ns": {"window": {c: [{"min": lengths[c], "max": lengths[c], "count": n}] if n else []
                               for c, n in classes.items()}},
        "chains": {"count": sum(n for _, n in chains),
                   "longest": max((k for k, _ in chains), default=0), "open": 0,
                   "reissued": reissued[0], "reopened": reissued[1],
                   "lengths": [{"min": k, "max": k, "count": n} for k, n in chains]},
        "writers": [{"op": op, "comm": "load", "pid": 1, "covers_dst": covers, "windows": n,
                     "sections": n} for op, covers, n in writers],
        "external": 0, "anomalies": 0, "lost": {"recursion": 0},
    }


def cell(windows, rate="0", what="none", kernel="7.3", check="snapshot", load="made", made=0,
         p99=None, seed=1, **more):
    """A line of tools/evidence/sweep."""
    summary = counters("summary", windows, **more)
    return {
        "type": "cell", "schema": 1, "key": f"{kernel}:{check} {load} {what} {rate} {seed}",
        "date": "2026-01-02", "status": 0,
        "machine": {"accelerator": "TCG", "emulated": True, "cpus": 2, "memory": "2G",
                    "qemu": "7.2"},
        "kernel": {"series": kernel, "release": f"{kernel}.0-test", "check": check},
        "load": {"name": load, "rate": rate, "what": what, "seed": seed, "seconds": 2,
                 "command": "uffdload made"},
        "result": {"type": "load", "elapsed_ns": 2000000000, "latency_ns": p99 and {"p99": p99},
                   "writer": {"per_s": made}},
        "summary": summary,
    }


def write(path, records):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return path
