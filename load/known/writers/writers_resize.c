// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Writers that move and resize mappings, move the break, or lock memory.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "known/writers/writers.h"

#define MOVE "MREMAP_MAYMOVE|MREMAP_FIXED"

/* So that a mapping can grow in place. */
static int before_mremap(struct writers *w)
{
	return OR_ERRNO(munmap((void *)(w->area + 8 * PAGE), 8 * PAGE));
}

static int run_mremap_grow(struct writers *w)
{
	return OR_ERRNO(mremap((void *)w->area, 8 * PAGE, 9 * PAGE, 0) == MAP_FAILED);
}

static int run_mremap_shrink(struct writers *w)
{
	return OR_ERRNO(mremap((void *)w->area, 8 * PAGE, 7 * PAGE, 0) == MAP_FAILED);
}

static int run_mremap_move(struct writers *w)
{
	void *to = (void *)(w->area + 10 * PAGE);
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	return OR_ERRNO(mremap((void *)w->area, PAGE, PAGE, flags, to) == MAP_FAILED);
}

static int run_mremap_dst(struct writers *w)
{
	void *to = (void *)(w->area + 10 * PAGE);

	return OR_ERRNO(mremap((void *)w->dst, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
			MAP_FAILED);
}

/* Onto the destination: only the new range covers it. */
static int run_mremap_onto(struct writers *w)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	return OR_ERRNO(mremap((void *)w->area, PAGE, PAGE, flags, (void *)w->dst) == MAP_FAILED);
}

/* Before the window: brk(0) takes mmap_lock for write too. */
static int before_brk(struct writers *w)
{
	w->brk = syscall(SYS_brk, 0);
	return 0;
}

static int run_brk(struct writers *w)
{
	return syscall(SYS_brk, w->brk + (long)PAGE) == w->brk + (long)PAGE ? 0 : -ENOMEM;
}

static int run_brk_nothing(struct writers *w)
{
	return syscall(SYS_brk, 0) == w->brk ? 0 : -EIO;
}

static int before_brk_shrink(struct writers *w)
{
	before_brk(w);
	return run_brk(w);
}

static int run_brk_shrink(struct writers *w)
{
	return syscall(SYS_brk, w->brk) == w->brk ? 0 : -EIO;
}

static int after_brk(struct writers *w)
{
	syscall(SYS_brk, w->brk);
	return 0;
}

static int run_mlock(struct writers *w)
{
	return OR_ERRNO(syscall(SYS_mlock, inner(w), PAGE));
}

static int run_mlock2(struct writers *w)
{
	return OR_ERRNO(syscall(SYS_mlock2, w->dst, PAGE, MLOCK_ONFAULT));
}

static int run_munlock(struct writers *w)
{
	return OR_ERRNO(syscall(SYS_munlock, inner(w), PAGE));
}

static int run_mlockall(struct writers *w)
{
	(void)w;
	return OR_ERRNO(syscall(SYS_mlockall, MCL_CURRENT | MCL_ONFAULT));
}

static int run_munlockall(struct writers *w)
{
	(void)w;
	return OR_ERRNO(syscall(SYS_munlockall));
}

const struct operation resize_operations[] = {
	{ .name = "mremap-grow",
	  .before = before_mremap,
	  .run = run_mremap_grow,
	  .writers = { { .op = "mremap" } } },
	{ .name = "mremap-shrink",
	  .before = before_mremap,
	  .run = run_mremap_shrink,
	  .writers = { { .op = "mremap" } } },
	{ .name = "mremap-move",
	  .before = before_mremap,
	  .run = run_mremap_move,
	  .writers = { { .op = "mremap", .flags = MOVE } } },
	{ .name = "mremap-dst",
	  .before = before_mremap,
	  .run = run_mremap_dst,
	  .writers = { { .op = "mremap", .flags = MOVE, .covers = true } },
	  .gone = true },
	{ .name = "mremap-onto-dst",
	  .run = run_mremap_onto,
	  .writers = { { .op = "mremap", .flags = MOVE, .covers = true } },
	  .gone = true },
	{ .name = "brk",
	  .before = before_brk,
	  .run = run_brk,
	  .after = after_brk,
	  .writers = { { .op = "brk" } } },
	{ .name = "brk-nothing",
	  .before = before_brk,
	  .run = run_brk_nothing,
	  .writers = { { .op = "brk" } } },
	{ .name = "brk-shrink",
	  .before = before_brk_shrink,
	  .run = run_brk_shrink,
	  .writers = { { .op = "brk" } } },
	{ .name = "mlock", .run = run_mlock, .writers = { { .op = "mlock" } } },
	{ .name = "mlock2",
	  .run = run_mlock2,
	  .writers = { { .op = "mlock2", .flags = "MLOCK_ONFAULT", .covers = true } } },
	{ .name = "munlock",
	  .before = run_mlock,
	  .run = run_munlock,
	  .writers = { { .op = "munlock" } } },
	{ .name = "mlockall",
	  .run = run_mlockall,
	  .after = run_munlockall,
	  .writers = { { .op = "mlockall", .flags = "MCL_CURRENT|MCL_ONFAULT", .covers = true } } },
	{ .name = "munlockall",
	  .run = run_munlockall,
	  .writers = { { .op = "munlockall", .covers = true } } },
	{ 0 },
};
