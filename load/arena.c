// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A reserved stretch of address space in which destinations are mapped, and the files behind them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"

static int new_file(size_t pages)
{
	int fd = memfd_create("uffdload", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)(pages * PAGE))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* dup() would share the struct file, which the kernel's check compares. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

int arena_create(struct arena *arena, size_t pages, size_t file_pages)
{
	void *area;

	*arena = (struct arena) { .pages = pages, .file = -1, .again = -1, .other = -1 };
	arena->file = new_file(file_pages);
	if (arena->file >= 0)
		arena->again = open_again(arena->file);
	arena->other = new_file(file_pages);
	if (arena->file < 0 || arena->again < 0 || arena->other < 0)
		return -errno;
	area = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	arena->start = (uint64_t)area;
	return 0;
}

void arena_destroy(struct arena *arena)
{
	if (arena->start)
		munmap((void *)arena->start, arena->pages * PAGE);
	if (arena->file >= 0)
		close(arena->file);
	if (arena->again >= 0)
		close(arena->again);
	if (arena->other >= 0)
		close(arena->other);
}

static int backing_fd(const struct arena *arena, enum backing backing)
{
	switch (backing) {
	case BACKED_FILE:
		return arena->file;
	case BACKED_AGAIN:
		return arena->again;
	case BACKED_OTHER:
		return arena->other;
	default:
		return -1;
	}
}

int arena_map(const struct arena *arena, uint64_t start, size_t pages, const struct mapping *mapping)
{
	int fd = backing_fd(arena, mapping->backing);
	int flags = MAP_FIXED | (mapping->shared ? MAP_SHARED : MAP_PRIVATE) | (fd < 0 ? MAP_ANONYMOUS : 0);
	off_t offset = fd < 0 ? 0 : (off_t)(mapping->offset * PAGE);

	if (mmap((void *)start, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, offset) == MAP_FAILED)
		return -errno;
	return 0;
}

int arena_clear(const struct arena *arena, uint64_t start, size_t pages)
{
	int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

	(void)arena;
	if (mmap((void *)start, pages * PAGE, PROT_NONE, flags, -1, 0) == MAP_FAILED)
		return -errno;
	return 0;
}

static int empty_file(int fd, size_t first, size_t pages)
{
	off_t offset = (off_t)(first * PAGE), len = (off_t)(pages * PAGE);

	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len) ? -errno : 0;
}

int arena_empty_files(const struct arena *arena, size_t first, size_t pages)
{
	int err = empty_file(arena->file, first, pages);

	return err ? err : empty_file(arena->other, first, pages);
}
