// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One destination VMA: what kind it is, how it is mapped and registered.
#ifndef UFFDLOAD_PLACE_H
#define UFFDLOAD_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steps/arena.h"

/* What a destination is when its window begins. */
enum place_kind {
	PLACE_ANON,	   /* private anonymous */
	PLACE_SHMEM,	   /* shared mapping of a memfd */
	PLACE_PRIVATE,	   /* private mapping of a memfd */
	PLACE_SHARED_ANON, /* MAP_SHARED | MAP_ANONYMOUS */
	PLACE_HUGE,	   /* shared mapping of a memfd of huge pages */
	PLACE_HUGE_ANON,   /* private mapping of huge pages */
	NR_PLACE_KINDS
};

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

/* How a step maps a part of the place anew. */
enum map_as {
	AS_BEFORE, /* as the place was mapped at first */
	AS_ANON,
	AS_SHARED_ANON,
	AS_FILE_SHARED,
	AS_FILE_PRIVATE,
	AS_AGAIN, /* the same inode through another struct file */
	AS_OTHER, /* another inode, same offset */
};

/* Its pages, and those of steps on it, are huge pages. */
bool place_is_huge(enum place_kind kind);
size_t place_page_size(enum place_kind kind);
/* from: the first page in the place; shift: added to the file offset. Both in the place's pages. */
struct mapping place_mapping(const struct place *place, enum map_as as, int from, int shift);
/* The address of a page; negative ones lie in front of the place. */
uint64_t place_page(const struct place *place, int page);
/* Map and register all of it. 0 or -errno. */
int place_set_up(const struct arena *arena, const struct place *place);

#endif
