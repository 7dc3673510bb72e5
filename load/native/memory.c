// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The memory that copies come from: a kind each of why its pages are not mapped.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "native/pagemap.h"
#include "native/memory.h"
#include "steps/arena.h"

enum backing_kind { ON_ANON, ON_FILE, ON_MEMFD, ON_HUGETLB, ON_THP };

enum drop {
	DROP_NOTHING,
	DROP_BY_MMAP,	 /* a new mapping: never touched, no page table */
	DROP_BY_ZAP,	 /* MADV_DONTNEED; of a file only the mapping goes */
	DROP_BY_HOLE,	 /* the file has no page any more */
	DROP_BY_PAGEOUT, /* MADV_PAGEOUT */
	DROP_FROM_CACHE, /* POSIX_FADV_DONTNEED */
};

struct memory_kind {
	enum backing_kind backing;
	enum drop drop;
	bool is_private;
	bool filled;   /* anonymous pages are written before they are dropped */
	bool by_block; /* a copy from the first page of each block alone */
	bool but_blocks; /* these first pages are mapped beforehand, and copies come from the others */
};

/* The order of the kinds below. */
const char *const memory_words[] = { "all",	     "mapped",	     "file",
				     "file-around",  "file-private", "anon",
				     "dontneed",     "memfd",	     "memfd-cached",
				     "pageout-file", "pageout-anon", "cold",
				     "hugetlb",	     "thp",	     NULL };

static const struct memory_kind kinds[] = {
	{ .backing = ON_ANON, .drop = DROP_NOTHING, .is_private = true, .filled = true },
	{ .backing = ON_FILE, .drop = DROP_BY_ZAP, .by_block = true },
	{ .backing = ON_FILE, .drop = DROP_BY_ZAP, .but_blocks = true },
	{ .backing = ON_FILE, .drop = DROP_BY_ZAP, .is_private = true, .by_block = true },
	{ .backing = ON_ANON, .drop = DROP_BY_MMAP, .is_private = true },
	{ .backing = ON_ANON, .drop = DROP_BY_ZAP, .is_private = true, .filled = true },
	{ .backing = ON_MEMFD, .drop = DROP_BY_HOLE },
	{ .backing = ON_MEMFD, .drop = DROP_BY_ZAP, .by_block = true },
	{ .backing = ON_FILE, .drop = DROP_BY_PAGEOUT, .is_private = true },
	{ .backing = ON_ANON, .drop = DROP_BY_PAGEOUT, .is_private = true, .filled = true },
	{ .backing = ON_FILE, .drop = DROP_FROM_CACHE, .is_private = true },
	{ .backing = ON_HUGETLB, .drop = DROP_BY_ZAP, .is_private = true, .by_block = true },
	{ .backing = ON_THP, .drop = DROP_BY_ZAP, .is_private = true, .by_block = true },
};

/* --- mapping ---------------------------------------------------------------------------------- */

static int fill_file(int fd, size_t pages)
{
	char page[PAGE];
	size_t i;

	memset(page, 1, sizeof(page));
	for (i = 0; i < pages; i++)
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			return errno ? -errno : -ENOSPC;
	return fsync(fd) ? -errno : 0;
}

static int filled(int fd, size_t pages)
{
	int err = fd < 0 ? -errno : fill_file(fd, pages);

	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

int memory_new_file(const char *dir, size_t pages)
{
	if (!dir)
		dir = getenv("TMPDIR");
	return filled(open(dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), pages);
}

static int open_file(struct memory *memory, const char *dir)
{
	struct statfs fs;
	int fd = memory->kind->backing == ON_FILE
			 ? memory_new_file(dir, memory->pages)
			 : filled(memfd_create("uffdload", MFD_CLOEXEC), memory->pages);

	if (fd < 0)
		return fd;
	memory->fd = fd;
	memory->file_system = fstatfs(fd, &fs) ? 0 : (uint64_t)fs.f_type;
	return 0;
}

/* Over what is there. A file that is read from disk is read a page at a time. */
static int map_here(const struct memory *memory, void *at)
{
	const struct memory_kind *kind = memory->kind;
	int flags = MAP_FIXED | (kind->is_private ? MAP_PRIVATE : MAP_SHARED);
	size_t len = memory->pages * PAGE;

	if (memory->fd < 0)
		flags |= MAP_ANONYMOUS;
	if (kind->backing == ON_HUGETLB)
		flags |= MAP_HUGETLB | HUGE_FLAG;
	if (mmap(at, len, PROT_READ | PROT_WRITE, flags, memory->fd, 0) == MAP_FAILED)
		return -errno;
	if (kind->backing == ON_FILE && !kind->by_block && !kind->but_blocks)
		return madvise(at, len, MADV_RANDOM) ? -errno : 0;
	if (kind->backing == ON_THP)
		return madvise(at, len, MADV_HUGEPAGE) ? -errno : 0;
	return 0;
}

static int map_aligned(struct memory *memory)
{
	size_t len = memory->pages * PAGE;
	uint8_t *area = mmap(NULL, len + 2 * HUGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	memory->map = (uint8_t *)(((uint64_t)area + HUGE - 1) & ~(HUGE - 1));
	return map_here(memory, memory->map);
}

/* --- dropping --------------------------------------------------------------------------------- */

static long cached_pages(const struct memory *memory)
{
	unsigned char *vec = malloc(memory->pages);
	long cached = -1;
	size_t i;

	if (vec && !mincore(memory->map, memory->pages * PAGE, vec))
		for (i = cached = 0; i < memory->pages; i++)
			cached += vec[i] & 1;
	free(vec);
	return cached;
}

/* A read of each page maps it; MADV_PAGEOUT passes over pages that are not mapped. */
static void touch_every(const struct memory *memory, size_t step)
{
	size_t i;

	for (i = 0; i < memory->pages; i += step)
		(void)*(volatile uint8_t *)(memory->map + i * PAGE);
}

static int drop_pages(const struct memory *memory)
{
	size_t len = memory->pages * PAGE;

	if (memory->kind->filled)
		memset(memory->map, 1, len);
	switch (memory->kind->drop) {
	case DROP_NOTHING:
		return 0;
	case DROP_BY_MMAP:
		return map_here(memory, memory->map);
	case DROP_BY_ZAP:
		return madvise(memory->map, len, MADV_DONTNEED) ? -errno : 0;
	case DROP_BY_HOLE:
		return fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				 (off_t)len)
			       ? -errno
			       : 0;
	case DROP_BY_PAGEOUT:
		touch_every(memory, 1);
		return madvise(memory->map, len, MADV_PAGEOUT) ? -errno : 0;
	case DROP_FROM_CACHE:
		if (madvise(memory->map, len, MADV_DONTNEED))
			return -errno;
		return -posix_fadvise(memory->fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	return -EINVAL;
}

static void count_cached(struct memory *memory)
{
	long cached = memory->kind->backing == ON_FILE ? cached_pages(memory) : -1;

	if (cached > memory->cached)
		memory->cached = cached;
}

int memory_drop(struct memory *memory)
{
	int err = drop_pages(memory);

	if (memory->kind->but_blocks)
		touch_every(memory, memory->around);
	count_cached(memory);
	return err;
}

/* --- what this machine has -------------------------------------------------------------------- */

static char why[160];

static const char *because(const char *what, int err)
{
	snprintf(why, sizeof(why), "%s: %s", what, strerror(-err));
	return why;
}

/* Some pages may stay. The pagemap tells of each copy whether its page did. */
static const char *not_dropped(struct memory *memory)
{
	long left = pagemap_count(memory->pagemap, memory->map, memory->pages);
	size_t allowed = memory->kind->drop == DROP_BY_PAGEOUT ? memory->pages / 10 : 0;

	if (left < 0)
		return because("pagemap", (int)left);
	if ((size_t)left > allowed)
		snprintf(why, sizeof(why), "%ld of %zu pages stay mapped%s", left, memory->pages,
			 memory->kind->backing == ON_ANON ? " (there is no swap)" : "");
	else if (memory->kind->drop >= DROP_BY_PAGEOUT && memory->cached > (long)allowed)
		snprintf(why, sizeof(why),
			 "%ld of %zu pages stay in the page cache (--dir must be on a disk)",
			 memory->cached, memory->pages);
	else
		return NULL;
	return why;
}

/* What one fault maps. */
static const char *measure_around(struct memory *memory)
{
	long before = pagemap_count(memory->pagemap, memory->map, memory->pages), after;

	touch_every(memory, memory->pages);
	after = pagemap_count(memory->pagemap, memory->map, memory->pages);
	if (before < 0 || after < 0)
		return because("pagemap", before < 0 ? (int)before : (int)after);
	/* Equal if just this page was not dropped. */
	memory->around = after > before ? (size_t)(after - before) : 1;
	if (memory->kind->backing == ON_THP && memory->around != HUGE / PAGE)
		return "no transparent huge page was given";
	if (memory->kind->but_blocks && memory->around == 1)
		return "fault-around is off";
	return NULL;
}

static const char *lacks(struct memory *memory)
{
	const char *reason;
	int err = drop_pages(memory);

	count_cached(memory);
	if (err)
		return because("cannot drop the pages", err);
	if (memory->kind->drop == DROP_NOTHING)
		return NULL;
	reason = not_dropped(memory);
	return reason ? reason : measure_around(memory);
}

const char *memory_open(struct memory *memory, unsigned int word, size_t pages, const char *dir)
{
	const char *reason;
	int err = 0;

	*memory = (struct memory) {
		.kind = &kinds[word - 1],
		.pages = pages,
		.fd = -1,
		.around = 1,
		.cached = -1,
	};
	memory->pagemap = pagemap_open();
	if (memory->pagemap < 0)
		return because("pagemap", memory->pagemap);
	/* The process begins without, see prepare_process(). */
	prctl(PR_SET_THP_DISABLE, memory->kind->backing != ON_THP, 0, 0, 0);
	if (memory->kind->backing == ON_FILE || memory->kind->backing == ON_MEMFD)
		err = open_file(memory, dir);
	if (err)
		return because("cannot make the file", err);
	err = map_aligned(memory);
	if (err && memory->kind->backing == ON_HUGETLB) {
		snprintf(why, sizeof(why), "%zu huge pages are not free (vm.nr_hugepages)",
			 pages * PAGE / HUGE);
		return why;
	}
	if (err)
		return because("cannot map", err);
	reason = lacks(memory);
	memory->stride = memory->kind->by_block ? memory->around : 1;
	return reason;
}

void memory_close(struct memory *memory)
{
	if (memory->map)
		munmap(memory->map, memory->pages * PAGE);
	if (memory->fd >= 0)
		close(memory->fd);
	if (memory->pagemap >= 0)
		close(memory->pagemap);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

/* --- copies ----------------------------------------------------------------------------------- */

bool memory_wants(const struct memory *memory, size_t page, size_t per_copy)
{
	size_t step = memory->stride > per_copy ? memory->stride : per_copy;

	if (memory->kind->but_blocks && page % memory->around == 0)
		return false;
	return page % step == 0 && page + per_copy <= memory->pages;
}

void memory_touch(const struct memory *memory, size_t per_copy)
{
	size_t i, j;

	for (i = 0; i < memory->pages; i++)
		for (j = 0; memory_wants(memory, i, per_copy) && j < per_copy; j++)
			(void)*(volatile uint8_t *)(memory->map + (i + j) * PAGE);
}

int memory_look(const struct memory *memory, size_t page, size_t pages, bool *windows)
{
	int err = pagemap_read(memory->pagemap, memory->map + page * PAGE, pages, windows);
	size_t i, j, block;

	for (i = 0; i < pages; i++)
		windows[i] = !windows[i];
	for (i = 0; i < pages; i++) {
		block = (page + i) / memory->around;
		for (j = i + 1; windows[i] && j < pages && (page + j) / memory->around == block;
		     j++)
			windows[j] = false;
	}
	return err;
}
