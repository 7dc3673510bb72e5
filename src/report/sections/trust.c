// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Can the numbers be trusted: see trust.h. */
#include "report/sections/trust.h"
#include "counters/counters.h"
#include "report/format.h"
#include "report/sections/answer.h"

#include <string.h>

#define WARNINGS_SHOWN 2

struct loss {
	__u64 n;
	const char *what;
};

/* The answers above count windows. */
static void skipped_text(const struct counters *c, char *text, size_t size)
{
	const __u64 windows = windows_missing(c);

	snprintf(text, size, "kernel skipped %s BPF runs; windows lost: %s%s", N(c->recursion),
		 windows ? "at most " : "", N(windows));
}

static void print_warnings(const struct report *r, const struct loss *losses, int nr)
{
	int more = 0, shown = 0;

	for (int i = 0; i < nr; i++) {
		if (!losses[i].n)
			continue;
		if (r->verbose || shown++ < WARNINGS_SHOWN)
			answer(r->out, "", "WARNING: %s: %s", losses[i].what, N(losses[i].n));
		else
			more++;
	}
	if (more)
		answer(r->out, "", "%d more warning%s: -v", more, more == 1 ? "" : "s");
}

void text_trust(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	const bool failed = !strcmp(r->self_test, "failed");
	const bool told = c->rehooks != REHOOKS_UNTOLD;
	const struct loss losses[] = {
		{ t->anomalies, "anomalies, facts in contradiction (please report)" },
		{ told ? c->rehooks : 0, "times other tracers may have cost calls" },
		{ !told, "nobody can tell whether other BPF programs cost calls" },
		{ windows_of_class(t, CLASS_UNDETERMINED), "undetermined windows" },
		{ t->lost[LOST_WINDOWS], "windows whose end was not seen" },
		{ t->lost[LOST_MAP_FULL], "windows without memory, at most" },
		{ c->skipped[COSTS_WINDOW], "windows missing, at most" },
		{ c->skipped[COSTS_CALL], "calls not counted, nor their EAGAIN, at most" },
		{ c->skipped[COSTS_PAGES], "calls whose pages were not counted, at most" },
		{ c->skipped[COSTS_UNMAP], "unmaps missing (replaced looks tolerated), at most" },
		{ c->skipped[COSTS_CHILD], "children of COMMAND missing, at most" },
		{ t->lost[LOST_EVENTS],
		  "events lost because they came faster than they were read" },
		{ t->lost[LOST_COPY_EVENTS], "events of failed copies lost, likewise" },
		{ t->lost[LOST_CHANGING_EVENTS], "events of mmap_changing lost, likewise" },
		{ failures_unexplained(&c->failures), "failures without a cause" },
		{ c->failures.holders_lost, "holders of mmap_changing without a place" },
		{ c->failures.chains_lost, "failures whose chain is not followed" },
		{ r->writers ? t->writers.other : 0, "write sections whose writer has no place" },
	};
	const int nr = sizeof(losses) / sizeof(losses[0]);
	char state[96] = "nothing lost, 0 anomalies";

	if (failed)
		snprintf(state, sizeof(state), "do not trust these numbers");
	else if (c->recursion)
		skipped_text(c, state, sizeof(state));
	for (int i = 0; i < nr && !failed && !c->recursion; i++)
		if (losses[i].n)
			snprintf(state, sizeof(state), "something was lost:");
	answer(r->out, "TRUST", "plan %s (%s), self-test %s", r->plan, r->exactness, r->self_test);
	answer(r->out, "", "%s", state);
	print_warnings(r, losses, nr);
}
