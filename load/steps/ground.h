// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What all steps of a process share: an arena, ordinary memory beside it, a hand and a handler.
#ifndef UFFDLOAD_GROUND_H
#define UFFDLOAD_GROUND_H

#include <stddef.h>
#include <stdint.h>

#include "steps/arena.h"
#include "steps/hand.h"
#include "steps/handler.h"

struct ground {
	struct arena arena;
	uint64_t scratch; /* SCRATCH_PAGES of ordinary memory, not adjacent to anything */
	uint64_t hole;	  /* HOLE_PAGES of the arena, for short-lived mappings */
	uint64_t stack;	  /* a MAP_GROWSDOWN mapping, STACK_ROOM unmapped pages below it; or 0 */
	struct hand *hand;
	struct handler handler; /* running when its socket is not -1 */
};

#define SCRATCH_PAGES 16
#define HOLE_PAGES 64
#define STACK_ROOM 32
/* Pages before the first destination, and the ground's own at the arena's end. */
#define GROUND_FRONT 64
#define GROUND_TAIL (HOLE_PAGES + SCRATCH_PAGES + STACK_ROOM + 16)

/* Room for destinations of so many pages, and files of file_pages. 0 or -errno. */
int ground_create(struct ground *ground, size_t pages, size_t file_pages);
void ground_destroy(struct ground *ground);
/* Map the stack anew, over what a grown one covers. 0 or -errno. */
int ground_make_stack(struct ground *ground);

#endif
