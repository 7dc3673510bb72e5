// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// When each call began and ended, and how many copies meet a writer's call.
#ifndef UFFDLOAD_STAMPS_H
#define UFFDLOAD_STAMPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "native/samples.h"

struct stamp {
	uint64_t begin;
	uint64_t end;
};

/* Of one thread, in order: they do not overlap each other. */
struct stamps {
	struct stamp *at;
	size_t nr;
	size_t max;
};

/* Memory that a child shares; all of it is present already. 0 or -errno. */
int stamps_create(struct stamps *stamps, size_t max);
/* Returns false when no other has room. */
bool stamps_add(struct stamps *stamps, uint64_t begin, uint64_t end);
/* How many of these copies have a moment in common with a call of a writer. */
uint64_t stamps_overlapping(const struct stamps *copies, const struct stamps *writers,
			    unsigned int nr_writers);
/* Their durations are added. 0 or -errno. */
int stamps_durations(const struct stamps *stamps, unsigned int nr, struct samples *to);

#endif
