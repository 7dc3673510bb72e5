// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The state of `uffdload random`, and what its parts do with it.
#ifndef UFFDLOAD_RANDOM_H
#define UFFDLOAD_RANDOM_H

#include "known/random/model.h"
#include "known/random/query.h"
#include "known/truth.h"
#include "lib/rig.h"
#include "steps/prng.h"
#include "steps/step.h"

#define NR_LAYOUTS 8
extern const char *const random_layouts[NR_LAYOUTS];

#define STEPS_MAX 64 /* remembered for a message */

struct random_options {
	uint64_t windows;
	uint64_t seed;
	unsigned int at_once;
	bool wait;
	enum truth_kernel kernel_check;
	enum truth_locks locks;
};

/* One destination, and the copies to it: one at a time. */
struct slot {
	bool external; /* copied to by the handler */
	struct place place;
	struct model model;
	struct rig *rigs[NR_LAYOUTS]; /* not when external */
	bool dirty;		      /* its mapping is no longer as it was made */

	bool busy;
	int layout;
	int first;		 /* the copy's first page in the place */
	int at;			 /* index in the layout of the held page */
	unsigned int operations; /* still to be done in this window */
	uint64_t writes;	 /* to mmap_lock, when the window opened */
	bool damaged;		 /* the source must be mended */
	struct step steps[STEPS_MAX];
	size_t nr_steps;
};

struct random {
	const struct random_options *options;
	struct prng prng;
	struct ground ground;
	struct slot *slots;
	unsigned int nr_slots;
	unsigned int open;
	unsigned int target; /* so many windows open at a time, for now */
	uint64_t writes;     /* sections that wrote this mm's mmap_lock */
	bool can_nohugepage;
	bool can_bind;
	bool can_wp;
	struct query query;
	struct truth truth;
	uint64_t failures;
};

/* One of the values at random. */
#define ONE_OF(random, ...)                                  \
	random_one_of(random, (const int[]) { __VA_ARGS__ }, \
		      sizeof((const int[]) { __VA_ARGS__ }) / sizeof(int))
int random_one_of(struct random *random, const int *values, uint32_t nr);
/* Print what failed and all steps of the copy; returns err. */
int random_fail(struct random *random, const struct slot *slot, const char *what, int err);
void random_describe(const struct random *random, const struct slot *slot);

/* One operation in the slot's window, in the model too. 0 or -errno, with a message. */
int random_operate(struct random *random, struct slot *slot);

/* Start a copy and wait for its first window. 0 or -errno, with a message. */
int random_begin_copy(struct random *random, struct slot *slot);
/*
 * End the window; the copy ends and is judged, or opens the next one. 0 or -errno, with a message.
 */
int random_close_window(struct random *random, struct slot *slot);

#endif
