// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The named windows of `uffdload exact`, each with its truth.
#ifndef UFFDLOAD_SCENARIO_H
#define UFFDLOAD_SCENARIO_H

#include "known/truth.h"
#include "steps/step.h"

#define SCENARIO_STEPS 5
#define SCENARIO_PAGES 8   /* of the destination's VMA, unless the scenario says otherwise */
#define SCENARIO_PAGE 4	   /* the destination page in it */
#define SCENARIO_OFFSET 64 /* of the VMA's start in the file, in pages */
#define AT_ONCE_MAX 256
#define AT_ONCE_PAGES 2 /* of each VMA when there are several windows at once */
#define AT_ONCE_STRIDE 4

/* Where the copies come from. Only the rig's source can hold a window open. */
enum source {
	SOURCE_RIG,
	SOURCE_STACK,	 /* below a stack, which grows to it */
	SOURCE_PAST_EOF, /* a mapped page beyond the end of its file */
	SOURCE_UNMAPPED, /* an address where nothing is mapped */
};

/* What needs more than steps: timing.c does it. */
enum timing {
	TIMING_NONE,
	TIMING_ASLEEP,
	TIMING_STILL_IN,
	TIMING_IN_ALL_ALONG,
};

struct scenario {
	const char *name;
	enum truth_class class;
	unsigned int snapshot; /* reasons */
	unsigned int meaning;
	unsigned int tolerated;
	int err; /* of the held page when no check refuses it; 0: it is copied */

	enum place_kind place;
	int pages;	    /* 0: SCENARIO_PAGES */
	int page;	    /* 0: SCENARIO_PAGE; the destination of the first b of the layout */
	uint64_t mode;	    /* of the registration; 0: missing */
	uint64_t features;  /* of the userfaultfd */
	uint64_t copy_mode; /* UFFDIO_COPY_MODE_* */
	const char *layout; /* of the source, see rig.h; NULL: "b" */
	enum source source;
	enum rig_source end; /* what happens to the held source page */

	struct step before[2];		   /* before the copy */
	struct step steps[SCENARIO_STEPS]; /* in the window */

	bool external;		 /* the handler is another process */
	bool killed;		 /* and is killed in the window */
	bool no_window;		 /* the copy fails before one can open */
	int at_once;		 /* windows, 0: one; the steps go to the first one's VMA */
	bool one_vma;		 /* all of them in the same VMA */
	enum truth_class others; /* class of the other windows */
	enum timing timing;
	bool odd_start;
};

extern const struct scenario scenarios[];
extern const size_t nr_scenarios;

const char *scenario_layout(const struct scenario *scenario);
int scenario_windows(const struct scenario *scenario);
int scenario_pages(const struct scenario *scenario);
/* Index of the first copied page in the VMA. */
int scenario_first_page(const struct scenario *scenario);
/* Index in the layout of the page whose window the scenario is about. */
int scenario_held_page(const struct scenario *scenario);
/* The truth of window w. */
struct truth_window scenario_window(const struct scenario *scenario, int w);
/* Why this kernel or machine cannot run it; NULL: it can. */
const char *scenario_lacks(struct ground *ground, const struct scenario *scenario,
			   enum truth_locks locks);

#endif
