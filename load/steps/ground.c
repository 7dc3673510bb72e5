// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What all steps of a process share: an arena, ordinary memory beside it, a hand and a handler.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "steps/ground.h"

int ground_create(struct ground *ground, size_t pages, size_t file_pages)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	size_t all = GROUND_FRONT + pages + GROUND_TAIL;
	int err;

	*ground = (struct ground) { .handler = { .socket = -1 } };
	err = arena_create(&ground->arena, all, file_pages);
	if (err)
		return err;
	ground->hole = ground->arena.start + (all - GROUND_TAIL) * PAGE;
	ground->scratch = ground->hole + (HOLE_PAGES + 2) * PAGE;
	err = arena_map(&ground->arena, ground->scratch, SCRATCH_PAGES, &ordinary);
	if (err)
		return err;
	memset((void *)ground->scratch, 1, SCRATCH_PAGES * PAGE);
	return hand_create(&ground->hand);
}

void ground_destroy(struct ground *ground)
{
	handler_stop(&ground->handler);
	hand_destroy(ground->hand);
	arena_destroy(&ground->arena);
}

/* A stack grows only into unmapped room: a PROT_NONE mapping below would stop it. */
int ground_make_stack(struct ground *ground)
{
	uint64_t part = ground->scratch + (SCRATCH_PAGES + 2) * PAGE;
	uint64_t bottom = part + STACK_ROOM * PAGE;
	int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN;

	if (munmap((void *)part, STACK_ROOM * PAGE))
		return -errno;
	if (mmap((void *)bottom, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
		return -errno;
	*(volatile char *)bottom = 1;
	ground->stack = bottom;
	return 0;
}
