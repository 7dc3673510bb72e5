// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The memory that is filled by userfaultfd, what its pages must hold, and the threads that touch
// it.
#ifndef UFFDLOAD_GUEST_H
#define UFFDLOAD_GUEST_H

#include "steps/arena.h"
#include "program/kit/run.h"

struct guest {
	struct run *run;
	int uffd;
	uint64_t start;
	uint64_t area; /* the mapping with a guard page, or huge page, on both sides */
	size_t pages;
	size_t page_size;
	bool may_be_zero;  /* zeroes are right too (given back) */
	uint64_t released; /* percent of the pages that hold zeroes from the start */
};

/* page_size: PAGE or HUGE. The guest owns uffd from now on. 0 or -errno, with a message. */
int guest_map(struct guest *guest, struct run *run, int uffd, size_t page_size);
void guest_unmap(struct guest *guest);
/* Map all of it anew, register it and make it accessible, while it is in use. 0 or -errno. */
int guest_replace(const struct guest *guest);

/* The contents of the nth page of PAGE bytes. */
void content_fill(void *page, uint64_t seed, uint64_t n);
bool content_is_zero(const struct guest *guest, uint64_t n);

/* A thread that touches and checks its share of the pages, in shuffled pieces of params.run. */
struct toucher {
	struct guest *guest;
	struct tally *tally;
	uint32_t *order; /* of the pieces */
	size_t nr;
	void (*before)(struct toucher *toucher); /* in the thread, first of all; or NULL */
	void *data;
};

/* The nth share of so many. 0 or -errno, with a message. */
int toucher_init(struct toucher *toucher, struct guest *guest, unsigned int nth, unsigned int of);
void toucher_destroy(struct toucher *toucher);
/* A thread's function: allocates nothing. */
void *touch_share(void *toucher);

#endif
