// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The state of `uffdload exact`, and what its parts do with it.
#ifndef UFFDLOAD_EXACT_H
#define UFFDLOAD_EXACT_H

#include "known/expect.h"
#include "known/options.h"
#include "known/exact/rigs.h"
#include "known/exact/scenario.h"

/* Of each file; the destinations lie at their begin. */
#define FILE_PAGES 1024
/* Of all destinations of one run, with their neighbours. */
#define AREA_PAGES (AT_ONCE_MAX * AT_ONCE_STRIDE)

struct exact_options {
	uint64_t runs;
	uint64_t seed;
	const char *only; /* names with commas between, or NULL */
	bool wait;
	enum truth_kernel kernel_check;
	enum truth_locks locks;
	bool list;
	bool json;
};

struct exact {
	const struct exact_options *options;
	struct ground ground;
	struct rigs rigs;
	bool *chosen;	    /* a flag a scenario */
	const char **lacks; /* why it cannot run here, or NULL */
	struct truth truth;
	uint64_t failures;
	/* The current run. */
	const struct scenario *scenario;
	int uffd;
	int other_uffd;
	struct place places[AT_ONCE_MAX];
	bool stuck;
};

/* Run a scenario once and judge it. 0, also if the kernel did otherwise (a failure), or -errno. */
int exact_run(struct exact *exact, const struct scenario *scenario);
void exact_close_uffds(struct exact *exact);
/* What the copy of window w must return, and its truth. */
struct expected_copy exact_expected(const struct scenario *scenario, int w);

/* Set the flags of --only; NULL is all. 0, or -EINVAL after naming what does not exist. */
int exact_choose(bool *chosen, const char *only);
/* --list: 0 or -1. */
int exact_list(bool json);
/* The truth on stdout. 0 or -1. */
int exact_report(const struct exact *exact);

#endif
