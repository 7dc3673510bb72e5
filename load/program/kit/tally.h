// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What one thread of a load counts: its copies, its latencies, and its other work.
#ifndef UFFDLOAD_TALLY_H
#define UFFDLOAD_TALLY_H

#include <stdint.h>

#include "lib/hist.h"
#include "steps/copies.h"

/* Counts other than those of copies. */
enum count {
	COUNT_FAULTS,	 /* page faults that a handler received */
	COUNT_WRITES,	 /* of the writers */
	COUNT_ZEROPAGES, /* UFFDIO_ZEROPAGE */
	COUNT_DEVICE,	 /* buffers mapped and unmapped */
	COUNT_BALLOON,	 /* pieces given back */
	COUNT_REMAPS,
	COUNT_PREFETCHES, /* turns of the prefetcher */
	COUNT_ALLOCATIONS,
	COUNT_FORKS,	 /* always 0, a member of schema 1: no load forks any more */
	COUNT_SWAPPED,	 /* source pages that were in swap when copying began */
	COUNT_ZERO_SEEN, /* pages read as zeroes where that is allowed: given back */
	COUNT_FATAL,	 /* always 0, as COUNT_FORKS */
	NR_COUNTS
};

/* One thread's, in memory that all processes of the run share. */
struct tally {
	struct copies copies;
	uint64_t latency[HIST_BUCKETS];
	uint64_t latency_max;
	uint64_t chains; /* pages copied at last after EAGAIN */
	uint64_t longest;
	uint64_t counts[NR_COUNTS];
};

void tally_copy(struct tally *tally, int err, int64_t copied);
void tally_latency(struct tally *tally, int64_t ns);
/* A page was copied after so many EAGAIN. */
void tally_chain(struct tally *tally, uint64_t failures);
void tally_sum(struct tally *to, const struct tally *from);
/* A number that grows with all that the thread does. */
uint64_t tally_progress(const struct tally *tally);

#endif
