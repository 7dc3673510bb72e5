#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: which long runs are due, what a row records, and that trust.md shows the rows."""
import json
import pathlib
import tempfile

from tap import Tap

import page
import trust

tap = Tap()
rows = trust.read()
text = trust.PAGE.read_text(encoding="utf-8")
tap.equal(page.with_parts(text, trust.parts(rows)), text, "trust.md shows the rows of docs/evidence/data/trust.jsonl")
tap.equal([row["run"] for row in rows if row["short"]], [], "none of them was shortened")
tap.equal([row["run"] for row in rows if not (row["commit"] or row["recorded_in"])], [], "each names its commit, or the one that recorded it")

SAID = ["ok 1 - one", "# 12 kernels", "ok 2 - two # SKIP why", "not ok 3 - three", "1..3"]
tap.equal(trust.count(SAID), {"passed": 1, "failed": 1, "skipped": 1, "notes": ["12 kernels"], "again": 0}, "TAP is counted")
tap.equal(trust.count(["ok 1 - one", "1..2"])["failed"], 1, "a plan with another number is a failure")
tap.equal(trust.count(["ok 1 - one"])["failed"], 1, "no plan is one, too")
tap.equal(trust.count(["# again: a: b", "1..0 # SKIP why"])["skipped"], 1, "a run that is skipped")

run = trust.Run("made", "", "echo ok 1; echo '# said'; echo 1..1", "echo ok 1; echo 1..1; exit 3")
with tempfile.TemporaryDirectory() as work:
    trust.BUILD = pathlib.Path(work)
    full, short = trust.execute(run, False), trust.execute(run, True)
    trust.append(trust.BUILD / "rows", full)
    tap.equal(trust.read(trust.BUILD / "rows"), [json.loads(json.dumps(full))], "a row is read as it was written")
tap.equal([full[key] for key in ("run", "kernel", "short", "passed", "failed", "notes")], ["made", None, False, 1, 0, ["said"]], "a row")
tap.equal((full["commit"], full["hooks"]), (trust.commit_now(), trust.hooks_now()), "... has the commit and the hooks")
tap.equal((short["short"], short["failed"]), (True, 1), "a status other than 0 is a failure, though no test failed")

hooks = full["hooks"]
trust.HOOKS = trust.HOOKS[:-1]
tap.check(trust.hooks_now() != hooks, "other hooks have another name")
for changed, why in (({}, None), ({"hooks": "other"}, "a hook has changed"), ({"failed": 1}, "failed"), ({"skipped": 1}, "failed"),
                     ({"passed": 0}, "failed"), ({"command": run.short}, "another command")):
    tap.equal(trust.why_due(run, {**full, **changed}, hooks), why, f"due: {changed or 'nothing changed'}: {why}")
tap.equal(trust.why_due(run, None, hooks), "never run", "due: no row")
tap.done()
