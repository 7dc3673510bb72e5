// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A destination of copies: one registered VMA that merges with nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/rig.h"

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int map_target(struct rig_target *target)
{
	void *want = (void *)target->start;
	int flags = MAP_FIXED |
		    (target->kind == RIG_ANON ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);

	if (target->kind == RIG_SHMEM) {
		target->file = memfd_create("uffdretry", MFD_CLOEXEC);
		if (target->file < 0 || ftruncate(target->file, (off_t)target->len))
			return -errno;
	}
	if (mmap(want, target->len, PROT_READ | PROT_WRITE, flags, target->file, 0) == MAP_FAILED)
		return -errno;
	madvise(want, target->len, MADV_NOHUGEPAGE);
	return rig_register(target->uffd, target->start, target->len, UFFDIO_REGISTER_MODE_MISSING);
}

int rig_target_open(struct rig_target *target, enum rig_kind kind, size_t pages)
{
	size_t page = page_size();
	uint8_t *area;
	int err;

	*target = (struct rig_target) { .kind = kind, .uffd = -1, .file = -1, .len = pages * page };
	area = mmap(NULL, target->len + 2 * page, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	target->start = (uint64_t)area + page;
	target->uffd = rig_uffd_open(0);
	err = target->uffd < 0 ? target->uffd : map_target(target);
	if (err)
		rig_target_close(target);
	return err;
}

void rig_target_close(struct rig_target *target)
{
	size_t page = page_size();

	if (target->start)
		munmap((uint8_t *)target->start - page, target->len + 2 * page);
	if (target->uffd >= 0)
		close(target->uffd);
	if (target->file >= 0)
		close(target->file);
	*target = (struct rig_target) { .uffd = -1, .file = -1 };
}
