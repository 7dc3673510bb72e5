# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""What docs/mail.txt has of the data: the table and the verdicts, as plain text of 72 columns."""
import textwrap

import stats
from sweepdata import ENOUGH, RATES, at_least, percent, plain_table, rare

WIDTH = 72


class Mail:
    """One method a value of the template, under its own name."""

    def __init__(self, data, verdicts):
        self.data = data
        self.verdicts = verdicts

    def mail_answer(self):
        return wrapped(plain(self.verdicts.verdict_1()))

    def mail_programs(self):
        return wrapped(plain(self.verdicts.verdict_programs() or "No program of others was recorded."))

    def mail_table(self):
        rows = []
        for rate in RATES:
            cells = self.data.swept().where(rate=rate)
            if cells.reached:
                rows.append([asked_and_made(rate, cells), cells.reached, *short_shares(cells)])
        for load, cells in self.data.own().by("name").items():
            if cells.reached:
                rows.append([load, cells.reached, *short_shares(cells)])
        for what in ("benign", "replace"):
            cells = self.data.main.where(what=what)
            if cells.reached:
                rows.append([f"{what} writers", cells.reached, *short_shares(cells)])
        return plain_table(["writers elsewhere, or load", "windows", "per-MM", "per-VMA", "snapshot"], rows)

    def mail_shows(self):
        of = self.verdicts
        said = {"Are the checks different (Lorenzo)": of.verdict_5(), "Does a write lock mean a change (Lorenzo)": of.verdict_6(),
                "Does the re-issued copy just succeed (David)": of.verdict_3(), "Does it cost anything (David)": of.verdict_4(),
                "Is there a livelock (Dave)": of.verdict_7(), "What would failing on any VMA write lock catch": of.verdict_9(),
                "Is the retry path hot at all": of.verdict_19(), "What of hugetlb, which has no check": of.verdict_21()}
        return "\n".join(wrapped(f"{question}? {plain(text)}", "- ") for question, text in said.items())

    def mail_emulation(self):
        return wrapped(plain(self.verdicts.verdict_emulation()), "- ")

    def mail_measured(self):
        data = self.data
        text = (f"{data.all.total} retry windows in {len(data.all)} runs of {len(data.all.by('name'))} loads, in {data.machine()}, {data.dates()}; kernels "
                + ", ".join(dict.fromkeys(run.raw["kernel"]["release"] for run in data.all)) + f". The table is of {data.kernel_name()}; there the kernel "
                f"skipped {data.main.count('lost.recursion')} runs of the tool's programs (counts may be short by as many), and "
                f"{data.main.classes('undetermined')} windows are undetermined, in no share. ")
        if data.per_mm:
            name = data.per_mm[0].raw["kernel"]["release"]
            text += (f"{name} is {name.removesuffix('-permm')} with the three checks behind a boot parameter, tests/permm/retry-check.patch: "
                     f"{data.per_mm.reached} windows met the per-MM check itself, which failed {data.per_mm.count('eagain_causes.snapshot')} copies. ")
        return wrapped(text + data.seeds())

    def mail_pooled(self):
        loads = [len(cells.by("name")) for cells in (self.data.swept().where(rate=rate) for rate in RATES) if cells.reached]
        return wrapped(f"A row of an asked rate pools up to {max(loads)} loads; those of benign and replace writers pool rates, too. The snapshot "
                       "column is near-empty by construction: no load splits a file mapping before the destination or maps another file "
                       "(docs/merged-check.md has both)." if loads else "No swept load in this data.")


def asked_and_made(rate, cells):
    """The label of a row of swept loads: what was asked of their writers, and what each made."""
    made = [f"{c.writes:.0f}" for c in cells.by("name").values()]
    return "none" if rate == "0" else f"asked {rate}{'' if rate == 'max' else '/s'} (made {'..'.join(dict.fromkeys((min(made, key=int), max(made, key=int))))})"


def short_shares(cells):
    for check in ("per_mm_seq", "per_vma_seq", "snapshot"):
        k, n = cells.spurious(check), cells.reached
        if k is None:
            yield "-"
        elif n < ENOUGH:
            yield f">{at_least(stats.interval(k, n)[0])}" if rare(k, n) == "above 1%" else "too few"
        else:
            yield percent(k / n) if k else f"<{percent(stats.interval(0, n)[1])}"


def wrapped(text, bullet=""):
    """A number and its % stay together."""
    return textwrap.fill(text.replace(" %", "\u00a0%"), WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_long_words=False,
                         break_on_hyphens=False).replace("\u00a0", " ")


def plain(markdown):
    return markdown.replace("`", "").replace("µ", "u").replace("[EXAMPLES.md](EXAMPLES.md)", "docs/EXAMPLES.md")
