# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Native records by the machine that made them, and tables with a column for each machine."""
import page
from records import groups


def name_of(record):
    """The vendor of the processor: it tells the machines of a table apart."""
    machine = record.get("host") or record["machine"]
    return machine["cpu"].split()[0].removesuffix("(R)")


def split(records):
    """{machine: its records}, the first measured first."""
    return groups(records, name_of)


def each(names, records, cell):
    """cell() of the records of each machine in @names; "-" where there are none."""
    own = split(records)
    return [cell(own[name]) if name in own else "-" for name in names]


def heads(names, *quantities):
    """The head of each quantity for each machine."""
    return [f"{quantity}, {name}" for quantity in quantities for name in names]


def table(facts):
    """What the machines are. @facts: {machine: {what: measured}}"""
    rows = dict.fromkeys(what for of_one in facts.values() for what in of_one)
    return page.table(["", *facts], ([what, *(of_one.get(what, "-") for of_one in facts.values())] for what in rows),
                      words=1 + len(facts))
