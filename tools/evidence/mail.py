# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""What docs/evidence/mail.txt has of the data: the table and the verdicts, as plain text of 72 columns."""
import re
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

    def mail_odd(self):
        return wrapped(plain(self.verdicts.verdict_1_odd()))

    def mail_programs(self):
        return wrapped(plain(self.verdicts.verdict_programs() or "No program of others was recorded."))

    def mail_table(self):
        rows = []
        for rate in RATES:
            cells = self.data.swept().where(rate=rate)
            if cells.reached:
                rows.append([asked_and_made(rate, cells), cells.reached, *ranges(cells)])
        for load, cells in self.data.own().by("name").items():
            if cells.reached:
                rows.append([load, cells.reached, *short_shares(cells)])
        for what in ("benign", "replace"):
            cells = self.data.main.where(what=what)
            if cells.reached:
                rows.append([f"{what} writers", cells.reached, *ranges(cells)])
        return plain_table(["asked (made), or load", "windows", "per-MM", "per-VMA", "snapshot"], rows)

    def mail_shows(self):
        of = self.verdicts
        said = {"Does the re-issued copy just succeed (David)": of.verdict_3(), "Does it cost anything (David)": of.verdict_4(),
                "Is there a livelock (Dave)": of.verdict_7(), "Does a write lock mean a change (Lorenzo)": of.verdict_6(),
                "What would failing on any VMA write lock do": of.verdict_9(), "Is the retry path hot at all": f"{of.verdict_19()} {of.verdict_programs()}",
                "What of hugetlb, which has no check": of.verdict_21()}
        return "\n".join(wrapped(f"{question}? {plain(text)}", "- ") for question, text in said.items())

    def mail_emulation(self):
        return wrapped(plain(self.verdicts.verdict_emulation()), "- ")

    def mail_measured(self):
        data = self.data
        text = (f"{data.all.total} windows in {len(data.all)} runs of {len(data.all.by('name'))} loads, in {data.machine()}, {data.dates()}. The table is of "
                f"{data.kernel_name()}: the kernel skipped {data.main.count('lost.recursion')} runs of the tool's programs there, so counts may be short by as many, and "
                f"{data.main.classes('undetermined')} windows are undetermined, in no share. ")
        if data.per_mm:
            name = data.per_mm[0].raw["kernel"]["release"]
            text += (f"{name} is {name.removesuffix('-permm')} with the three checks behind a boot parameter: "
                     f"{data.per_mm.reached} windows met the per-MM check itself, which failed {data.per_mm.count('eagain_causes.snapshot')} copies. ")
        return wrapped(text + data.seeds())


def asked_and_made(rate, cells):
    """The label of a row of swept loads: what was asked of their writers, and what each made."""
    made = [f"{c.writes:.0f}" for c in cells.by("name").values()]
    return "none" if rate == "0" else f"{rate}{'' if rate == 'max' else '/s'} (made {'..'.join(dict.fromkeys((min(made, key=int), max(made, key=int))))})"


def short_shares(cells):
    for check in ("per_mm_seq", "per_vma_seq", "snapshot"):
        k, n = cells.spurious(check), cells.reached
        if k is None:
            yield "-"
        elif n < ENOUGH:
            yield f">{at_least(stats.interval(k, n)[0])}" if rare(k, n) == "above 1%" else "too few"
        else:
            yield percent(k / n) if k else f"<{percent(stats.interval(0, n)[1])}"


def ranges(cells):
    """The least and the most of the loads with enough windows, for what pools several; the bound of all when it is none in each."""
    loads = [c for c in cells.by("name").values() if c.reached >= ENOUGH]
    for check, said in zip(("per_mm_seq", "per_vma_seq", "snapshot"), short_shares(cells)):
        shares = [c.spurious(check) / c.reached for c in loads if c.spurious(check) is not None]
        yield f"{percent(min(shares)).rstrip('%')}..{percent(max(shares))}" if len(shares) > 1 and max(shares) else said


def wrapped(text, bullet=""):
    """A number and its % stay together."""
    return textwrap.fill(text.replace(" %", "\u00a0%"), WIDTH, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_long_words=False,
                         break_on_hyphens=False).replace("\u00a0", " ")


def plain(markdown):
    """Without markup, and with cells named in words."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"docs/\1", markdown.replace("`", "").replace("µ", "u"))
    text = re.sub(r"([\w-]+)(?: swept)?; (unrelated|benign|replace), (\w+)/s", lambda m: f"{m[1]} beside {speed(m[3])} {m[2]} writers", text)
    return text.replace(" swept", "")


def speed(rate):
    return "unthrottled" if rate == "max" else f"{rate}/s"
