// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A copier whose every copy has one window, and that can tell that a whole call lay in it.
/*
 * The source of a copy begins in the middle of a page and ends in the middle of the next one. The
 * first page is mapped, the second is not. The first attempt copies half a page, fails at the
 * second page, and the kernel opens the window. The second attempt begins anew: it copies half a
 * page, takes the fault, copies the other half, and only then relocks. So both halves are read
 * in the window, one before and one after the fault.
 *
 * Writers keep two counters there: in the first page of calls that they are about to begin, in the
 * second page of calls that have ended. When the copy holds more ended calls than begun ones, the
 * next call began after the first half was read, and ended before the second half was: all of
 * it, with its write section, lay in the window, and mm_lock_seq moved in it. A counter is a byte,
 * because no other read is atomic whatever instruction copies; differences from 128 on count as
 * none. The order of reads, and of a counter and a call, is that of x86 (where taking a lock is a
 * barrier); elsewhere nothing is told.
 */
#ifndef UFFDLOAD_COPIER_H
#define UFFDLOAD_COPIER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/rig.h"
#include "native/native.h"

/* The two pages with the counters: a memfd, and a mapping for the writers. */
struct witness {
	int fd;
	uint8_t *map;
};

struct copier {
	struct rig_target target;
	uint8_t *area; /* reserved */
	uint8_t *view; /* in it, two pages: see above */
	size_t len;    /* of the mapping of the second page */
	int (*drop)(struct copier *copier);
	uint64_t still_cached; /* cold: copies whose page the kernel kept all the same */
	bool tells;	       /* the second page is the witness's */
	int file;	       /* of another second page, or -1 */
};

int witness_create(struct witness *witness);
void witness_destroy(struct witness *witness);
/* The counters of writer n. */
atomic_uchar *witness_begun(const struct witness *witness, unsigned int n);
atomic_uchar *witness_ended(const struct witness *witness, unsigned int n);

/* The second page is SOURCE: memfd-cached, memfd, file, cold, anon or thp; -EINVAL for others. */
int copier_open(struct copier *copier, const struct witness *witness, const char *source,
		const struct native_options *options);
void copier_close(struct copier *copier);
/* Copy to this page of the target; with DROP the second page is not mapped then. */
struct timed_copy copier_copy(struct copier *copier, size_t page, bool drop);
/* Of a copy that succeeded. */
bool copier_enclosed_call(const struct copier *copier, size_t page, unsigned int writers);
/* The copy alone, to a page that is there: how long it took. */
uint64_t copier_copy_in_user_space(struct copier *copier, size_t page);
/* Make the target empty. 0 or -errno. */
int copier_empty(struct copier *copier);
size_t copier_pages(const struct copier *copier);

#endif
