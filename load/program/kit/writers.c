// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Threads that write to the mm of this process, at a rate that they share.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "program/kit/writers.h"

#define SCRATCH_PAGES 8

static int map_and_unmap(size_t pages)
{
	void *area = mmap(NULL, pages * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED || munmap(area, pages * PAGE) ? -errno : 0;
}

static int write_unrelated(struct beat *beat)
{
	void *at = (void *)beat->scratch;

	if (prng_below(&beat->prng, 2))
		return map_and_unmap(SCRATCH_PAGES);
	if (mprotect(at, SCRATCH_PAGES * PAGE, PROT_READ) ||
	    mprotect(at, SCRATCH_PAGES * PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	return 0;
}

static int dump_and_back(uint64_t start, size_t len)
{
	return madvise((void *)start, len, MADV_DONTDUMP) ||
			       madvise((void *)start, len, MADV_DODUMP)
		       ? -errno
		       : 0;
}

/* Splits and merges the destination. It stays accessible, so toucher threads do not notice. */
static int write_benign(struct beat *beat)
{
	const struct guest *guest = beat->guest;
	size_t some = 1 + prng_below(&beat->prng, (uint32_t)guest->pages);

	if (prng_below(&beat->prng, 2))
		some = guest->pages;
	return dump_and_back(guest->start, some * guest->page_size);
}

static int write_replace(struct beat *beat)
{
	return guest_replace(beat->guest);
}

/* The nth of nr threads' part of the rate; the first ones share the remainder. */
static uint64_t part_of(uint64_t rate, uint64_t n, uint64_t nr)
{
	return rate == RATE_MAX ? rate : rate / nr + (n < rate % nr);
}

int writers_start(struct writers *writers, struct guest *guest)
{
	static int (*const once[])(struct beat * beat) = {
		[WRITER_UNRELATED] = write_unrelated,
		[WRITER_BENIGN] = write_benign,
		[WRITER_REPLACE] = write_replace,
	};
	struct run *run = guest->run;
	const struct params *params = &run->params;
	uint64_t n;
	int err = 0;

	for (n = 0; n < params->writers && params->writer_rate && !err; n++) {
		struct beat *beat = &writers->beats[n];
		void *scratch = mmap(NULL, (SCRATCH_PAGES + 2) * PAGE, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (scratch == MAP_FAILED)
			err = -errno;
		*beat = (struct beat) {
			.run = run,
			.name = "writer",
			.rate = part_of(params->writer_rate, n, params->writers),
			.once = once[params->writer_what],
			.count = COUNT_WRITES,
			.guest = guest,
			.tally = run_tally(run),
			.prng.state = params->seed + n,
			.scratch = (uint64_t)scratch + PAGE,
		};
		if (!err)
			err = beat_start(&writers->crew, beat);
	}
	return err;
}

void writers_join(struct writers *writers)
{
	size_t n;

	crew_join(&writers->crew);
	for (n = 0; n < sizeof(writers->beats) / sizeof(writers->beats[0]); n++)
		if (writers->beats[n].scratch)
			munmap((void *)(writers->beats[n].scratch - PAGE),
			       (SCRATCH_PAGES + 2) * PAGE);
	memset(writers->beats, 0, sizeof(writers->beats));
}
