// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What one thread of a load counts: its copies, its latencies, and its other work.
#include "program/kit/tally.h"

void tally_copy(struct tally *tally, int err, int64_t copied)
{
	copies_add(&tally->copies, err, copied > 0 ? (uint64_t)copied : 0);
}

void tally_latency(struct tally *tally, int64_t ns)
{
	uint64_t n = ns > 0 ? (uint64_t)ns : 0;

	tally->latency[hist_bucket(n)]++;
	if (n > tally->latency_max)
		tally->latency_max = n;
}

void tally_chain(struct tally *tally, uint64_t failures)
{
	tally->chains += failures > 0;
	if (failures > tally->longest)
		tally->longest = failures;
}

void tally_sum(struct tally *to, const struct tally *from)
{
	int i;

	copies_sum(&to->copies, &from->copies);
	for (i = 0; i < HIST_BUCKETS; i++)
		to->latency[i] += from->latency[i];
	for (i = 0; i < NR_COUNTS; i++)
		to->counts[i] += from->counts[i];
	to->chains += from->chains;
	if (from->latency_max > to->latency_max)
		to->latency_max = from->latency_max;
	if (from->longest > to->longest)
		to->longest = from->longest;
}

/* volatile: another thread or process counts meanwhile. */
uint64_t tally_progress(const struct tally *tally)
{
	const volatile struct tally *now = tally;
	uint64_t sum = now->copies.calls;
	int i;

	for (i = 0; i < NR_COUNTS; i++)
		sum += now->counts[i];
	return sum;
}
