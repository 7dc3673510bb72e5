// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A reserved stretch of address space in which destinations are mapped, and the files behind them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "steps/arena.h"

unsigned long kernel_page;

static void __attribute__((constructor)) ask_kernel_page(void)
{
	kernel_page = (unsigned long)sysconf(_SC_PAGESIZE);
}

static int new_file(size_t size, unsigned int flags)
{
	int fd = memfd_create("uffdload", MFD_CLOEXEC | flags);

	if (fd >= 0 && ftruncate(fd, (off_t)size)) {
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

/* mmap() of huge pages fails unless all of them are free. */
static bool has_huge_pages(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | HUGE_FLAG;
	void *area = mmap(NULL, HUGE_PAGES * HUGE, PROT_READ | PROT_WRITE, flags, -1, 0);

	return area != MAP_FAILED && !munmap(area, HUGE_PAGES * HUGE);
}

static int create_huge(struct huge_arena *huge)
{
	uint8_t *area;

	*huge = (struct huge_arena) { .file = -1, .again = -1, .other = -1 };
	if (!has_huge_pages())
		return 0;
	huge->file = new_file(HUGE_PAGES * HUGE, MFD_HUGETLB | HUGE_FLAG);
	if (huge->file >= 0)
		huge->again = open_again(huge->file);
	huge->other = new_file(HUGE_PAGES * HUGE, MFD_HUGETLB | HUGE_FLAG);
	if (huge->file < 0 || huge->again < 0 || huge->other < 0)
		return -errno;
	area = mmap(NULL, (HUGE_PAGES + 1) * HUGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	huge->start = ((uint64_t)area + HUGE - 1) & ~(HUGE - 1);
	return 0;
}

int arena_create(struct arena *arena, size_t pages, size_t file_pages)
{
	void *area;

	*arena = (struct arena) { .pages = pages, .file = -1, .again = -1, .other = -1 };
	arena->file = new_file(file_pages * PAGE, 0);
	if (arena->file >= 0)
		arena->again = open_again(arena->file);
	arena->other = new_file(file_pages * PAGE, 0);
	if (arena->file < 0 || arena->again < 0 || arena->other < 0)
		return -errno;
	area = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		    0);
	if (area == MAP_FAILED)
		return -errno;
	arena->start = (uint64_t)area;
	return create_huge(&arena->huge);
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
	if (!arena->huge.start)
		return;
	munmap((void *)arena->huge.start, HUGE_PAGES * HUGE);
	close(arena->huge.file);
	close(arena->huge.again);
	close(arena->huge.other);
}

static int backing_fd(const struct arena *arena, const struct mapping *mapping)
{
	const struct huge_arena *huge = &arena->huge;

	switch (mapping->backing) {
	case BACKED_FILE:
		return mapping->huge ? huge->file : arena->file;
	case BACKED_AGAIN:
		return mapping->huge ? huge->again : arena->again;
	case BACKED_OTHER:
		return mapping->huge ? huge->other : arena->other;
	default:
		return -1;
	}
}

int arena_map(const struct arena *arena, uint64_t start, size_t pages,
	      const struct mapping *mapping)
{
	int fd = backing_fd(arena, mapping);
	size_t page = mapping->huge ? HUGE : PAGE;
	int flags = MAP_FIXED | (mapping->shared ? MAP_SHARED : MAP_PRIVATE) |
		    (fd < 0 ? MAP_ANONYMOUS : 0);
	off_t offset = fd < 0 ? 0 : (off_t)(mapping->offset * page);

	if (mapping->huge && fd < 0)
		flags |= MAP_HUGETLB | HUGE_FLAG;
	if (mmap((void *)start, pages * page, PROT_READ | PROT_WRITE, flags, fd, offset) ==
	    MAP_FAILED)
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

int arena_clear_huge(const struct arena *arena)
{
	const size_t pages = HUGE_PAGES * HUGE / PAGE;
	int err;

	if (!arena->huge.start)
		return 0;
	err = arena_clear(arena, arena->huge.start, pages);
	if (!err)
		err = empty_file(arena->huge.file, 0, pages);
	return err ? err : empty_file(arena->huge.other, 0, pages);
}
