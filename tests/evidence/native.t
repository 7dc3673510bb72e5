#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: tools/evidence/native measures each cell once, continues, and packs. A script plays the load."""
import gzip
import json
import os
import subprocess
import tempfile

from tap import ROOT, Tap

# A record a run, and a failure at the run that PLAY names.
LOAD = """#!/bin/bash
echo "$*" >>"$LOG"
[ "$PLAY" != "$(wc -l <"$LOG")" ] || exit 1
echo '{"type":"native","host":{"boot_id":"'"$BOOT"'"}}'
"""
tap = Tap()
work = tempfile.TemporaryDirectory()
load, out, into, log = (os.path.join(work.name, name) for name in ("load", "out", "into.gz", "log"))
with open(load, "w", encoding="utf-8") as file:
    file.write(LOAD)
os.chmod(load, 0o755)
with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
    BOOT = file.read().strip()


def play(how, boot=BOOT, only=""):
    """(status, runs of the load)"""
    open(log, "w", encoding="utf-8").close()
    status = subprocess.run([os.path.join(ROOT, "tools/evidence/native"), "--uffdload", load, "--dir", "/tmp", "--rounds", "2", "--only", only,
                             "-o", out, "--into", into], env={**os.environ, "PLAY": how, "LOG": log, "BOOT": boot},
                            stderr=subprocess.DEVNULL, check=False).returncode
    with open(log, encoding="utf-8") as lines:
        return status, lines.read().splitlines()


def packed():
    with gzip.open(into, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# 13 sources, 2 blind ones, 12 operations; 2 places, 6 sources and 5 rates; twice.
ALL = 2 * (13 + 2 + 12 + 2 * 6 * 5)
status, runs = play("20")
tap.equal((status, len(runs)), (1, 20), "a measurement that fails ends the run")
tap.check(not os.path.exists(into), "then nothing is packed")
status, runs = play("none")
tap.equal((status, len(runs)), (0, ALL - 19), "it continues with the one that failed")
records = packed()
tap.equal(len({r["run"]["key"] for r in records}), ALL, "all of them are packed, each once")
tap.equal(len(records), ALL, "... and nothing else")
tap.equal(len({r["run"]["began"] for r in records}), 1, "they belong to one run")
tap.check(not os.path.exists(out), "the file that was packed is gone")
status, runs = play("none")
tap.equal((status, len(runs), len(packed())), (0, ALL, 2 * ALL), "a second run appends as many")
play("3", boot="another")
status, runs = play("none")
tap.equal((status, len(runs)), (0, ALL), "what another boot measured does not count as done")
open(into, "w", encoding="utf-8").close()
status, runs = play("none", only="overlap --source thp")
tap.equal((status, len(runs)), (0, 2 * 2 * 5), "--only measures the cells that it names")
tap.done()
