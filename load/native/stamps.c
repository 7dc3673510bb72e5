// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// When each call began and ended, and how many copies meet a writer's call.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "native/native.h"
#include "native/stamps.h"

int stamps_create(struct stamps *stamps, size_t max)
{
	void *area = mmap(NULL, max * sizeof(*stamps->at), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	*stamps = (struct stamps) { .at = area, .max = max };
	return 0;
}

bool stamps_add(struct stamps *stamps, uint64_t begin, uint64_t end)
{
	stamps->at[stamps->nr++] = (struct stamp) { begin, end };
	return stamps->nr < stamps->max;
}

/* *NEXT: the first call that did not end before the last copy; it only moves on. */
static bool meets(const struct stamp *copy, const struct stamps *calls, size_t *next)
{
	while (*next < calls->nr && calls->at[*next].end < copy->begin)
		(*next)++;
	return *next < calls->nr && calls->at[*next].begin <= copy->end;
}

uint64_t stamps_overlapping(const struct stamps *copies, const struct stamps *writers,
			    unsigned int nr_writers)
{
	size_t next[THREADS_MAX] = { 0 }, i;
	uint64_t nr = 0;
	unsigned int n;

	for (i = 0; i < copies->nr; i++)
		for (n = 0; n < nr_writers; n++)
			if (meets(&copies->at[i], &writers[n], &next[n])) {
				nr++;
				break;
			}
	return nr;
}

int stamps_durations(const struct stamps *stamps, unsigned int nr, struct samples *to)
{
	size_t all = 1, i;
	unsigned int n;
	int err;

	for (n = 0; n < nr; n++)
		all += stamps[n].nr;
	err = samples_create(to, all);
	for (n = 0; n < nr && !err; n++)
		for (i = 0; i < stamps[n].nr; i++)
			samples_add(to, stamps[n].at[i].end - stamps[n].at[i].begin);
	return err;
}
