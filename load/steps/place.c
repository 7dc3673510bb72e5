// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One destination VMA: what kind it is, how it is mapped and registered.
#define _GNU_SOURCE
#include "lib/rig.h"
#include "steps/place.h"

bool place_is_huge(enum place_kind kind)
{
	return kind == PLACE_HUGE || kind == PLACE_HUGE_ANON;
}

size_t place_page_size(enum place_kind kind)
{
	return place_is_huge(kind) ? HUGE : PAGE;
}

uint64_t place_page(const struct place *place, int page)
{
	return place->start + (uint64_t)((int64_t)page * (int64_t)place_page_size(place->kind));
}

static enum map_as first_mapping(enum place_kind kind)
{
	static const enum map_as as[NR_PLACE_KINDS] = {
		[PLACE_ANON] = AS_ANON,
		[PLACE_SHMEM] = AS_FILE_SHARED,
		[PLACE_PRIVATE] = AS_FILE_PRIVATE,
		[PLACE_SHARED_ANON] = AS_SHARED_ANON,
		[PLACE_HUGE] = AS_FILE_SHARED,
		[PLACE_HUGE_ANON] = AS_ANON,
	};

	return as[kind];
}

struct mapping place_mapping(const struct place *place, enum map_as as, int from, int shift)
{
	static const struct mapping mappings[] = {
		[AS_ANON] = { .backing = BACKED_ANON },
		[AS_SHARED_ANON] = { .backing = BACKED_SHARED_ANON, .shared = true },
		[AS_FILE_SHARED] = { .backing = BACKED_FILE, .shared = true },
		[AS_FILE_PRIVATE] = { .backing = BACKED_FILE },
		[AS_AGAIN] = { .backing = BACKED_AGAIN, .shared = true },
		[AS_OTHER] = { .backing = BACKED_OTHER, .shared = true },
	};
	struct mapping mapping = mappings[as == AS_BEFORE ? first_mapping(place->kind) : as];

	/* The other opens of the file are shared if the place is. */
	if (as == AS_AGAIN || as == AS_OTHER)
		mapping.shared = place->kind != PLACE_PRIVATE;
	mapping.huge = place_is_huge(place->kind);
	mapping.offset = (size_t)((long)place->offset + from + shift);
	return mapping;
}

int place_set_up(const struct arena *arena, const struct place *place)
{
	struct mapping mapping = place_mapping(place, AS_BEFORE, 0, 0);
	int err = arena_map(arena, place->start, place->pages, &mapping);

	return err ? err
		   : rig_register(place->uffd, place->start,
				  place->pages * place_page_size(place->kind), place->mode);
}
