// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The steps: single operations of a program on its address space while a window is open.
#ifndef UFFDLOAD_STEP_H
#define UFFDLOAD_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "steps/elsewhere.h"
#include "steps/place.h"

enum step_kind {
	STEP_NONE,
	/* On pages [from, from + pages) of the place, or of its neighbours. */
	STEP_PROTECT, /* arg: PROT_* */
	STEP_ADVISE,  /* arg: MADV_* */
	STEP_LOCK,    /* mlock2(MLOCK_ONFAULT): plain mlock would fault the missing pages in */
	STEP_UNLOCK,
	STEP_BIND, /* arg: MPOL_BIND to node 0, or MPOL_DEFAULT */
	STEP_NAME, /* PR_SET_VMA_ANON_NAME */
	STEP_UNMAP,
	STEP_UNMAP_FAILS, /* from an address that is no page's: the lock is taken, and nothing unmapped */
	STEP_MAP,      /* MAP_FIXED; arg: enum map_as; shift: added to the file offset, in pages */
	STEP_REGISTER, /* arg: UFFDIO_REGISTER_MODE_*, 0: the place's own */
	STEP_REGISTER_OTHER, /* the same with the other userfaultfd */
	STEP_UNREGISTER,
	STEP_ZEROPAGE,	/* UFFDIO_ZEROPAGE: takes no lock for write */
	STEP_MOVE_AWAY, /* mremap to an empty part of the arena */
	STEP_MOVE_BACK,
	STEP_RESIZE,   /* mremap in place, from `pages` to `arg` pages */
	STEP_TRUNCATE, /* the file, so that it ends before page from */
	/* On the process. */
	STEP_FORK, /* the child exits at once */
	/* Elsewhere in the same mm. */
	STEP_ELSEWHERE, /* arg: enum elsewhere */
	/* In the external handler's mm. */
	STEP_HANDLER_WRITE,
};

struct step {
	enum step_kind kind;
	int from;
	int pages;
	unsigned int arg;
	int shift;
	bool stuck; /* the hand does it, and sleeps until the event is read */
};

/* Steps are chosen so that they must succeed. 0 or -errno, which is a failure of the run. */
int step_run(struct ground *ground, const struct place *place, const struct step *step);
/* After a stuck step: read the event and wait for the hand. 0 or -errno. */
int step_unstick(struct ground *ground, const struct place *place);
/* For messages. */
const char *step_name(enum step_kind kind);
/* Why this kernel cannot do the step to such a place under such a userfaultfd; NULL: it can. */
const char *step_lacks(struct ground *ground, enum place_kind kind, uint64_t features,
		       const struct step *step);

#endif
