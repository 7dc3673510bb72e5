// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A thread that does one thing at a set rate until the pass is over.
#ifndef UFFDLOAD_BEAT_H
#define UFFDLOAD_BEAT_H

#include "program/kit/crew.h"
#include "program/kit/guest.h"
#include "steps/prng.h"

struct beat {
	struct run *run;
	const char *name;
	uint64_t rate;			/* a second, RATE_MAX: as fast as it can */
	int (*once)(struct beat *beat); /* 0, 1 when there is nothing left to do, or -errno */
	enum count count;
	struct guest *guest;
	void *data;
	struct tally *tally;
	struct prng prng;
	uint64_t scratch; /* a writer's own mapping */
};

/* Starts nothing at rate 0. The beat lives as long as the crew. 0 or -errno, with a message. */
int beat_start(struct crew *crew, struct beat *beat);

#endif
