// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Which pages of this process are mapped, as /proc/self/pagemap tells every user.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "native/pagemap.h"
#include "steps/arena.h"

#define PRESENT (UINT64_C(1) << 63)
#define AT_ONCE 64

int pagemap_open(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int pagemap_read(int fd, const void *at, size_t pages, bool *present)
{
	uint64_t entries[AT_ONCE];
	size_t i, now;

	for (; pages; pages -= now, at = (const char *)at + now * PAGE, present += now) {
		off_t offset = (off_t)((uint64_t)at / PAGE * sizeof(entries[0]));
		ssize_t size;

		now = pages < AT_ONCE ? pages : AT_ONCE;
		size = (ssize_t)(now * sizeof(entries[0]));
		if (pread(fd, entries, (size_t)size, offset) != size)
			return -EIO;
		for (i = 0; i < now; i++)
			present[i] = entries[i] & PRESENT;
	}
	return 0;
}

long pagemap_count(int fd, const void *at, size_t pages)
{
	const char *page = at;
	long nr = 0;
	bool present;
	size_t i;
	int err = 0;

	for (i = 0; i < pages && !err; i++) {
		err = pagemap_read(fd, page + i * PAGE, 1, &present);
		nr += !err && present;
	}
	return err ? err : nr;
}
