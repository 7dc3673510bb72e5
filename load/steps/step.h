// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The single things that a program can do to its address space while a window is open.
#ifndef UFFDLOAD_STEP_H
#define UFFDLOAD_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "steps/arena.h"
#include "steps/hand.h"
#include "steps/handler.h"
#include "known/truth.h"

/* What a destination is when its window begins. */
enum place_kind {
	PLACE_ANON,	   /* private anonymous */
	PLACE_SHMEM,	   /* shared mapping of a memfd */
	PLACE_PRIVATE,	   /* private mapping of a memfd */
	PLACE_SHARED_ANON, /* MAP_SHARED | MAP_ANONYMOUS */
	PLACE_HUGE,	   /* shared mapping of a memfd of huge pages */
	PLACE_HUGE_ANON,   /* private mapping of huge pages */
	NR_PLACES
};

/* One destination VMA. */
struct place {
	enum place_kind kind;
	uint64_t start;
	size_t pages;
	size_t offset; /* of the first page in the file, in pages */
	uint64_t mode; /* UFFDIO_REGISTER_MODE_* */
	int uffd;
	int other_uffd; /* for REGISTER_OTHER */
	uint64_t away;	/* where MOVE_AWAY moves to: as many pages in the arena */
};

/* What the hand is stuck in. */
struct stuck {
	struct ground *ground;
	const struct place *place;
	const struct step *step;
};

/* What the whole process has. */
struct ground {
	struct arena arena;
	uint64_t scratch; /* SCRATCH_PAGES of ordinary memory, not adjacent to anything */
	uint64_t hole;	  /* HOLE_PAGES of the arena, for what is mapped for a moment */
	uint64_t stack;	  /* a MAP_GROWSDOWN mapping, STACK_ROOM unmapped pages below it; or 0 */
	struct hand *hand;
	struct stuck stuck;
	struct handler handler; /* running when its socket is not -1 */
};

#define SCRATCH_PAGES 16
#define HOLE_PAGES 64
#define STACK_ROOM 32
/* Pages between the arena's start and the first destination, and what the ground itself needs at the arena's end. */
#define GROUND_FRONT 64
#define GROUND_TAIL (HOLE_PAGES + SCRATCH_PAGES + STACK_ROOM + 16)

enum step_kind {
	STEP_NONE,
	/* On pages [from, from + pages) of the place; from may be negative, the end beyond the place's. */
	STEP_PROTECT, /* arg: PROT_* */
	STEP_ADVISE,  /* arg: MADV_* */
	STEP_LOCK,    /* mlock2(MLOCK_ONFAULT): plain mlock would fault the missing pages in */
	STEP_UNLOCK,
	STEP_BIND, /* arg: MPOL_BIND to node 0, or MPOL_DEFAULT */
	STEP_NAME, /* PR_SET_VMA_ANON_NAME */
	STEP_UNMAP,
	STEP_MAP,	     /* MAP_FIXED; arg: enum map_as; shift: added to the file offset, in pages */
	STEP_REGISTER,	     /* arg: UFFDIO_REGISTER_MODE_*, 0: the place's own */
	STEP_REGISTER_OTHER, /* the same with the other userfaultfd */
	STEP_UNREGISTER,
	STEP_ZEROPAGE,	/* UFFDIO_ZEROPAGE: no write lock */
	STEP_MOVE_AWAY, /* mremap to where nothing else is */
	STEP_MOVE_BACK,
	STEP_RESIZE,   /* mremap in place of the VMA of pages pages; arg: pages afterwards */
	STEP_TRUNCATE, /* the file, so that it ends before page from */
	/* On the process. */
	STEP_FORK, /* the child exits at once */
	/* Elsewhere in the same mm. */
	STEP_ELSEWHERE, /* arg: enum elsewhere */
	/* In the external handler's mm. */
	STEP_HANDLER_WRITE,
};

enum map_as {
	AS_BEFORE, /* as the place was mapped at first */
	AS_ANON,
	AS_SHARED_ANON,
	AS_FILE_SHARED,
	AS_FILE_PRIVATE,
	AS_AGAIN, /* the same inode through another struct file */
	AS_OTHER, /* another inode, same offset */
};

enum elsewhere {
	/* These take mmap_lock for reading or not at all. */
	ELSEWHERE_DONTNEED,
	ELSEWHERE_TOUCH,
	ELSEWHERE_MAPS,
	/* These write it. */
	ELSEWHERE_MMAP,
	ELSEWHERE_PROTECT,
	ELSEWHERE_PROTECT_FAILS,
	ELSEWHERE_UNMAP_NOTHING,
	ELSEWHERE_MREMAP,
	ELSEWHERE_LOCK,
	ELSEWHERE_BRK,
	ELSEWHERE_THREAD,
	ELSEWHERE_STACK_GROWS,
	ELSEWHERE_CLOSE_UFFD,
	NR_ELSEWHERE
};

struct step {
	enum step_kind kind;
	int from;
	int pages;
	unsigned int arg;
	int shift;
	bool stuck; /* done by the hand, which then sleeps until the event is read from the userfaultfd */
};

int ground_create(struct ground *ground, size_t pages, size_t file_pages);
void ground_destroy(struct ground *ground);
/* Map the stack anew; mends also what a grown one covers. */
int ground_make_stack(struct ground *ground);

/* Huge: its pages, and those of steps on it, are huge ones. */
bool place_is_huge(enum place_kind kind);
size_t place_page_size(enum place_kind kind);
/* The kind that a window of this place has. */
enum window_kind place_window_kind(enum place_kind kind);
struct mapping place_mapping(const struct place *place, enum map_as as, int from, int shift);
uint64_t place_page(const struct place *place, int page);
/* Map and register it whole. */
int place_set_up(const struct ground *ground, const struct place *place);

/* A step either succeeds or is a failure of the run: it is chosen so that it must succeed. */
int step_run(struct ground *ground, const struct place *place, const struct step *step);
/* After a stuck step: read the event, and wait until the hand has come back. */
int step_unstick(struct ground *ground, const struct place *place);
/* For messages. */
const char *step_name(enum step_kind kind);
/* Why this kernel cannot do the step to a place of that kind, with a userfaultfd of these features: NULL when it can.
 */
const char *step_lacks(struct ground *ground, enum place_kind kind, uint64_t features, const struct step *step);

#endif
