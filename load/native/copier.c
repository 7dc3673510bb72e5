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
#define AREA (3 * HUGE)

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

/* Makes the second page go. 0 or -errno. */
static int drop_mapping(struct copier *copier)
{
	return madvise(copier->view + PAGE, copier->len, MADV_DONTNEED) ? -errno : 0;
}

static int drop_page_of_memfd(struct copier *copier)
{
	return fallocate(copier->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)PAGE)
		       ? -errno
		       : 0;
}

static int drop_from_cache(struct copier *copier)
{
	int err = drop_mapping(copier);
	unsigned char cached;

	if (!err)
		err = -posix_fadvise(copier->file, 0, (off_t)PAGE, POSIX_FADV_DONTNEED);
	if (!err && mincore(copier->view + PAGE, PAGE, &cached))
		err = -errno;
	if (!err)
		copier->still_cached += cached & 1;
	return err;
}

static int new_memfd(const char *dir)
{
	int fd = memfd_create("uffdload", MFD_CLOEXEC);

	(void)dir;
	return fd < 0 || ftruncate(fd, (off_t)PAGE) ? -errno : fd;
}

static int new_file(const char *dir)
{
	return memory_new_file(dir, 1);
}

static const struct second {
	const char *source;
	int (*open)(const char *dir); /* its file: a descriptor or -errno */
	int (*drop)(struct copier *copier);
	int flags;
	bool huge; /* it is a huge page */
} seconds[] = {
	{ "memfd-cached", NULL, drop_mapping, 0, false }, /* the witness's, which is there */
	{ "memfd", new_memfd, drop_page_of_memfd, MAP_SHARED, false },
	{ "file", new_file, drop_mapping, MAP_PRIVATE, false },
	{ "cold", new_file, drop_from_cache, MAP_PRIVATE, false },
	{ "anon", NULL, drop_mapping, MAP_PRIVATE | MAP_ANONYMOUS, false },
	{ "thp", NULL, drop_mapping, MAP_PRIVATE | MAP_ANONYMOUS, true },
};

static const struct second *second_of(const char *source)
{
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		if (!strcmp(seconds[i].source, source))
			return &seconds[i];
	return NULL;
}

static int map_second(struct copier *copier, const struct second *second, const char *dir)
{
	uint8_t *at = copier->view + PAGE;

	copier->drop = second->drop;
	copier->len = second->huge ? HUGE : PAGE;
	if (!second->flags) {
#ifdef __x86_64__
		copier->tells = true;
#endif
		return 0;
	}
	if (second->open) {
		copier->file = second->open(dir);
		if (copier->file < 0)
			return copier->file;
	}
	if (mmap(at, copier->len, PROT_READ, MAP_FIXED | second->flags, copier->file, 0) ==
	    MAP_FAILED)
		return -errno;
	return second->huge && madvise(at, HUGE, MADV_HUGEPAGE) ? -errno : 0;
}

/* Two pages. The second one begins a huge page. */
static int map_view(struct copier *copier, int witness)
{
	uint8_t *view;

	copier->area =
		mmap(NULL, AREA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (copier->area == MAP_FAILED)
		return -errno;
	view = (uint8_t *)(((uint64_t)copier->area + PAGE + HUGE - 1) & ~(HUGE - 1)) - PAGE;
	copier->view = view;
	return mmap(view, 2 * PAGE, PROT_READ, MAP_FIXED | MAP_SHARED, witness, 0) == MAP_FAILED
		       ? -errno
		       : 0;
}

int copier_open(struct copier *copier, const struct witness *witness, const char *source,
		const struct native_options *options)
{
	const struct second *second = second_of(source);
	/* Another process can make only a file's page go, not one of this address space. */
	int err =
		rig_target_open(&copier->target, options->elsewhere ? RIG_SHMEM : RIG_ANON, PAGES);

	copier->area = MAP_FAILED;
	copier->file = -1;
	if (!second)
		return -EINVAL;
	if (!err)
		err = map_view(copier, witness->fd);
	return err ? err : map_second(copier, second, options->dir);
}

void copier_close(struct copier *copier)
{
	if (copier->area != MAP_FAILED)
		munmap(copier->area, AREA);
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
	int err = drop ? copier->drop(copier) : 0;

	if (err)
		return (struct timed_copy) { .err = -err };
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
