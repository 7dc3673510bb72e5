// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A copier whose every copy has one window, and that can tell that a whole call lay in it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/clock.h"
#include "native/copier.h"
#include "native/memory.h"
#include "steps/arena.h"

#define PAGES 256
#define HALF (PAGE / 2)
#define LINE 64

/* --- counters --------------------------------------------------------------------------------- */

int witness_create(struct witness *witness)
{
	void *map = MAP_FAILED;

	*witness = (struct witness) { .fd = memfd_create("uffdload", MFD_CLOEXEC) };
	if (witness->fd >= 0 && !ftruncate(witness->fd, 2 * PAGE))
		map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			   witness->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	witness->map = map;
	return 0;
}

void witness_destroy(struct witness *witness)
{
	if (witness->map)
		munmap(witness->map, 2 * PAGE);
	if (witness->fd >= 0)
		close(witness->fd);
}

/* The first ones that a copy reads, and the last ones. */
atomic_uchar *witness_begun(const struct witness *witness, unsigned int n)
{
	return (atomic_uchar *)(witness->map + HALF + n * LINE);
}

atomic_uchar *witness_ended(const struct witness *witness, unsigned int n)
{
	return (atomic_uchar *)(witness->map + PAGE + HALF - (n + 1) * LINE);
}

bool copier_enclosed_call(const struct copier *copier, size_t page, unsigned int writers)
{
	const uint8_t *copy = (const uint8_t *)copier->target.start + page * PAGE;
	unsigned int n;

	for (n = 0; copier->tells && n < writers; n++)
		if ((int8_t)(copy[PAGE - (n + 1) * LINE] - copy[n * LINE]) > 0)
			return true;
	return false;
}

/* --- set-up ----------------------------------------------------------------------------------- */

static int map_second(struct copier *copier, const char *source, const char *dir)
{
	int flags = MAP_FIXED | MAP_PRIVATE;

	if (!strcmp(source, "memfd-cached")) {
#ifdef __x86_64__
		copier->tells = true;
#endif
		return 0;
	}
	if (!strcmp(source, "file"))
		copier->file = memory_new_file(dir, 1);
	else if (!strcmp(source, "anon"))
		flags |= MAP_ANONYMOUS;
	else
		return -EINVAL;
	if (copier->file < -1)
		return copier->file;
	return mmap(copier->view + PAGE, PAGE, PROT_READ, flags, copier->file, 0) == MAP_FAILED
		       ? -errno
		       : 0;
}

int copier_open(struct copier *copier, const struct witness *witness, const char *source,
		const struct native_options *options)
{
	/* Another process can make only a file's page go, not one of this address space. */
	int err =
		rig_target_open(&copier->target, options->elsewhere ? RIG_SHMEM : RIG_ANON, PAGES);

	copier->file = -1;
	if (err)
		return err;
	copier->view = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, witness->fd, 0);
	if (copier->view == MAP_FAILED) {
		copier->view = NULL;
		return -errno;
	}
	return map_second(copier, source, options->dir);
}

void copier_close(struct copier *copier)
{
	if (copier->view)
		munmap(copier->view, 2 * PAGE);
	if (copier->file >= 0)
		close(copier->file);
	rig_target_close(&copier->target);
}

/* --- copies ----------------------------------------------------------------------------------- */

size_t copier_pages(const struct copier *copier)
{
	return copier->target.len / PAGE;
}

struct timed_copy copier_copy(struct copier *copier, size_t page, bool drop)
{
	if (drop && madvise(copier->view + PAGE, PAGE, MADV_DONTNEED))
		return (struct timed_copy) { .err = errno };
	(void)*(volatile uint8_t *)copier->view;
	if (!drop)
		(void)*(volatile uint8_t *)(copier->view + PAGE);
	return copy_timed(copier->target.uffd, copier->target.start + page * PAGE,
			  copier->view + HALF, 1);
}

uint64_t copier_copy_in_user_space(struct copier *copier, size_t page)
{
	uint8_t *to = (uint8_t *)copier->target.start + page * PAGE;
	uint64_t begin;

	/* Another process maps it only now. */
	*(volatile uint8_t *)to = 0;
	begin = now_ns();
	memcpy(to, copier->view + HALF, PAGE);
	return now_ns() - begin;
}

int copier_empty(struct copier *copier)
{
	const struct rig_target *target = &copier->target;

	if (target->kind == RIG_SHMEM)
		return fallocate(target->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				 (off_t)target->len)
			       ? -errno
			       : 0;
	return madvise((void *)target->start, target->len, MADV_DONTNEED) ? -errno : 0;
}
