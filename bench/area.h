/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What ops.c and grow.c share: the end with an error, and memory in small pages. */
#ifndef BENCH_AREA_H
#define BENCH_AREA_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/clock.h"

#define PAGE 4096UL

/* @what failed, and errno says why. */
static inline void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

/* Private memory without huge pages. @flags: more flags of mmap(). */
static inline uint8_t *map_area(size_t pages, int flags)
{
	uint8_t *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

#define HOLES 64
#define HOLE 8 /* pages */

/*
 * HOLES of them, each behind a wall of its own. The cost of a mapping depends, by some hundred
 * instructions, on its place in a node of the mm's tree. One place differs between processes; the
 * sum over many does not.
 */
static inline uint8_t *map_holes(void)
{
	size_t pages = (2 * HOLES + 1) * HOLE;
	uint8_t *area = map_area(pages, MAP_NORESERVE);

	/* The walls: nothing merges with them. */
	if (mprotect(area, pages * PAGE, PROT_NONE))
		die("mprotect");
	for (size_t i = 0; i < HOLES; i++)
		if (munmap(area + (2 * i + 1) * HOLE * PAGE, HOLE * PAGE))
			die("munmap");
	return area + HOLE * PAGE;
}

/* mmap and munmap in one of them. */
static inline void fill_hole(uint8_t *holes, int i)
{
	uint8_t *hole = holes + (size_t)i * 2 * HOLE * PAGE;

	if (mmap(hole, 4 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != hole ||
	    munmap(hole, 4 * PAGE))
		die("mmap, munmap");
}

#endif /* BENCH_AREA_H */
