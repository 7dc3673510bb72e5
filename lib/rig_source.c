// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Inside the rig: the source area, whose pages open windows as their layout says.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/rig_source.h"

size_t source_pages(const char *layout)
{
	size_t pages = 0;

	for (; *layout; layout++)
		pages += *layout < 'a' ? RIG_HUGE : 1;
	return pages;
}

/* One small letter a page. */
void source_expand(char *to, const char *layout)
{
	for (; *layout; layout++) {
		if (*layout >= 'a') {
			*to++ = *layout;
			continue;
		}
		memset(to, 'm', RIG_HUGE);
		*to = (char)(*layout - 'A' + 'a');
		to += RIG_HUGE;
	}
	*to = '\0';
}

static uint8_t *source_page(const struct rig *rig, size_t i)
{
	return rig->source + i * rig->page;
}

/* The length of the run of equal letters that begins at i. */
static size_t run_length(const struct rig *rig, size_t i)
{
	size_t n = 1;

	while (i + n < rig->pages && rig->layout[i + n] == rig->layout[i])
		n++;
	return n;
}

static int register_blocked(struct rig *rig)
{
	size_t i, n;
	int err;

	for (i = 0; i < rig->pages; i += n) {
		n = run_length(rig, i);
		if (rig->layout[i] != 'b')
			continue;
		err = rig_register(rig->nested, (uint64_t)source_page(rig, i), n * rig->page,
				   UFFDIO_REGISTER_MODE_MISSING);
		if (err)
			return err;
	}
	return 0;
}

/* Without huge pages: one would map untouched pages too, and they would open no window. */
int source_map(struct rig *rig)
{
	size_t len = (rig->pages + 2) * rig->page;
	uint8_t *area =
		mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t i;

	if (area == MAP_FAILED)
		return -errno;
	rig->source = area + rig->page;
	madvise(rig->source, rig->pages * rig->page, MADV_NOHUGEPAGE);
	if (mprotect(rig->source, rig->pages * rig->page, PROT_READ | PROT_WRITE))
		return -errno;
	for (i = 0; i < rig->pages; i++)
		if (rig->layout[i] == 'm')
			memset(source_page(rig, i), RIG_PATTERN, rig->page);
	return register_blocked(rig);
}

/* MADV_DONTNEED takes mmap_lock for reading only, so it disturbs no window of another rig. */
int source_empty(struct rig *rig)
{
	size_t i, n;

	for (i = 0; i < rig->pages; i += n) {
		n = run_length(rig, i);
		if (rig->layout[i] != 'm' &&
		    madvise(source_page(rig, i), n * rig->page, MADV_DONTNEED))
			return -errno;
	}
	return 0;
}

/* Over what is there, so that no mmap() of another thread can get in between. */
static int map_page(struct rig *rig, uint64_t address, int prot)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	return mmap((void *)address, rig->page, prot, flags, -1, 0) == MAP_FAILED ? -errno : 0;
}

static int wake(int uffd, uint64_t start, uint64_t len)
{
	struct uffdio_range range = { start, len };

	return ioctl(uffd, UFFDIO_WAKE, &range) ? -errno : 0;
}

int source_damage(struct rig *rig, enum rig_source how)
{
	int err;

	if (how == RIG_UNMAP)
		err = map_page(rig, rig->held, PROT_NONE);
	else
		err = mprotect((void *)rig->held, rig->page, PROT_NONE) ? -errno : 0;
	if (err)
		return err;
	rig->damage = how;
	rig->damaged = rig->held;
	return wake(rig->nested, rig->held, rig->page);
}

int rig_mend(struct rig *rig)
{
	void *page = (void *)rig->damaged;
	int err = 0;

	if (!rig->damaged)
		return 0;
	if (rig->damage == RIG_UNMAP) {
		err = map_page(rig, rig->damaged, PROT_READ | PROT_WRITE);
		if (err)
			return err;
		madvise(page, rig->page, MADV_NOHUGEPAGE);
		err = rig_register(rig->nested, rig->damaged, rig->page,
				   UFFDIO_REGISTER_MODE_MISSING);
	} else if (mprotect(page, rig->page, PROT_READ | PROT_WRITE)) {
		err = -errno;
	}
	if (!err)
		rig->damaged = 0;
	return err;
}
