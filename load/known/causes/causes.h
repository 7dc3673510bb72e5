// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What the cases of `uffdload causes` share: one destination each, and the comparison with what was
// expected.
#ifndef UFFDLOAD_CAUSES_H
#define UFFDLOAD_CAUSES_H

#include "known/causes/causes_truth.h"
#include "known/truth.h"
#include "lib/rig.h"
#include "steps/arena.h"
#include "steps/hand.h"

#define CAUSES_TIMEOUT_MS 10000

struct causes_options {
	uint64_t runs;
	uint64_t chain; /* copies that are refused before an event is read */
	bool wait;
	enum truth_kernel kernel_check;
	enum truth_locks locks;
};

struct causes {
	const struct causes_options *options;
	struct causes_truth truth;
	struct hand *hand;
	struct rig *one;   /* layout "b" */
	struct rig *third; /* layout "mmb" */
	uint8_t *source;   /* mapped pages */
	uint64_t failures;
	/* The current case. No other case ever uses its pages: chains are told apart by address. */
	const char *name;
	int uffd;
	uint64_t dst;
	size_t pages;
};

/* Fails the run, with a message, if got is not what is expected. */
void causes_expect(struct causes *c, const char *what, long got, long expected);
/*
 * A destination of so many pages of anonymous memory, between two inaccessible ones, under a
 * userfaultfd of these features. 0 or -errno.
 */
int causes_set_up(struct causes *c, const char *name, uint64_t features, size_t pages);
/* The same in inaccessible memory that is mapped already. */
int causes_set_up_at(struct causes *c, uint8_t *dst, const char *name, uint64_t features,
		     size_t pages);
void causes_tear_down(struct causes *c);
/* Copy n pages to the destination's page `page`, in this thread; it must end as `e` says. */
void causes_copy(struct causes *c, size_t page, size_t n, uint64_t src, const struct ending *e);
/* The same from mapped pages; it must succeed. */
void causes_copy_well(struct causes *c, size_t page, size_t n);
/* Mapped source pages. */
uint64_t causes_mapped(const struct causes *c);
/*
 * A copy of the rig's whole layout that is held in its window while `act` (or NULL) is done; then
 * its source is resolved, and it must end as `e` says. 0 or -errno.
 */
int causes_hold(struct causes *c, struct rig *rig, int (*act)(struct causes *c),
		enum rig_source how, const struct ending *e);

/* What raises mmap_changing by a REMOVE event, and how the tool names the holder. */
int causes_remove(void *causes);
#define REMOVE_HOLDER "remove/madvise/MADV_DONTNEED"
/* The hand does the job, and sleeps until causes_read_event(). 0 or -errno. */
int causes_raise(struct causes *c, hand_job job);
int causes_read_event(struct causes *c);

/* All cases of a file: 0 or -errno. */
int causes_by_event(struct causes *c);
int causes_in_window(struct causes *c);
int causes_by_error(struct causes *c);

#endif
