// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Where a handler copies from: the snapshot file, mapped, read into a buffer, or held in memory
// that was reclaimed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program/kit/guest.h"
#include "program/kit/source.h"

/* --- the file --------------------------------------------------------------------------------- */

static int open_file(const struct run *run)
{
	const char *dir = run->params.dir ? run->params.dir : getenv("TMPDIR");
	int fd = open(dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int snapshot_make(struct snapshot *snapshot, struct run *run, size_t bytes)
{
	uint64_t page[PAGE / sizeof(uint64_t)], n;
	int err = 0;

	*snapshot = (struct snapshot) { .fd = open_file(run), .bytes = bytes };
	if (snapshot->fd < 0)
		err = snapshot->fd;
	for (n = 0; n < bytes / PAGE && !err; n++) {
		content_fill(page, run->params.seed, n);
		err = write_all(snapshot->fd, (const char *)page, PAGE);
	}
	if (!err && run->params.cache == CACHE_COLD && fsync(snapshot->fd))
		err = -errno;
	if (err)
		run_fail(run, "cannot make the file: %s", strerror(-err));
	return err;
}

/* How many pages of the mapping are in the page cache. */
static size_t cached_pages(uint8_t *map, size_t bytes)
{
	unsigned char *vec = malloc(bytes / PAGE);
	size_t cached = 0, i;

	if (!vec || mincore(map, bytes, vec)) {
		free(vec);
		return SIZE_MAX;
	}
	for (i = 0; i < bytes / PAGE; i++)
		cached += vec[i] & 1;
	free(vec);
	return cached;
}

/* Before any process maps the file: a mapped page cannot be dropped. */
static int make_cold(struct run *run, int fd, size_t bytes)
{
	uint8_t *map;
	size_t cached;
	int err = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);

	if (err)
		return -err;
	map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	cached = cached_pages(map, bytes);
	munmap(map, bytes);
	if (!cached)
		return 0;
	run_fail(run,
		 "cold: %zu of %zu pages of the file cannot be dropped from memory; --dir must be "
		 "on a disk (tmpfs keeps its pages in memory)",
		 cached, bytes / PAGE);
	return -ENOTSUP;
}

/* --- memory that was reclaimed ---------------------------------------------------------------- */

#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)

static uint64_t swapped_pages(const uint8_t *map, size_t bytes)
{
	uint64_t entry, swapped = 0;
	size_t i;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	for (i = 0; fd >= 0 && i < bytes / PAGE; i++)
		if (pread(fd, &entry, sizeof(entry),
			  (off_t)(((uint64_t)map / PAGE + i) * sizeof(entry))) == sizeof(entry))
			swapped += !!(entry & PAGEMAP_SWAPPED);
	if (fd >= 0)
		close(fd);
	return swapped;
}

static int reclaim(struct run *run, uint8_t *map, size_t bytes, struct tally *tally)
{
	uint64_t swapped;

	if (madvise(map, bytes, MADV_PAGEOUT))
		return -errno;
	swapped = swapped_pages(map, bytes);
	tally->counts[COUNT_SWAPPED] += swapped;
	if (swapped)
		return 0;
	run_fail(run, "no page went to swap: this needs a swap device with room (see /proc/swaps)");
	return -ENOTSUP;
}

/* --- one thread's view ------------------------------------------------------------------------ */

static uint8_t *anonymous(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int open_anon(struct source *source, struct run *run, struct tally *tally)
{
	size_t done = 0;

	source->map = anonymous(source->bytes);
	if (source->map == MAP_FAILED)
		return -errno;
	while (done < source->bytes) {
		ssize_t n =
			pread(source->fd, source->map + done, source->bytes - done, (off_t)done);

		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return reclaim(run, source->map, source->bytes, tally);
}

static int map_it(struct source *source, struct run *run, struct tally *tally)
{
	switch (source->kind) {
	case SOURCE_MAP:
		source->map = mmap(NULL, source->bytes, PROT_READ, MAP_PRIVATE, source->fd, 0);
		break;
	case SOURCE_BUFFER:
		source->map = anonymous(source->page_size);
		break;
	case SOURCE_ANON:
		return open_anon(source, run, tally);
	}
	return source->map == MAP_FAILED ? -errno : 0;
}

int source_open(struct source *source, struct run *run, const struct snapshot *snapshot,
		size_t page_size, struct tally *tally)
{
	int err = 0;

	*source = (struct source) {
		.kind = run->params.source,
		.fd = snapshot->fd,
		.bytes = snapshot->bytes,
		.page_size = page_size,
	};
	if (run->params.cache == CACHE_COLD)
		err = make_cold(run, source->fd, source->bytes);
	if (!err)
		err = map_it(source, run, tally);
	if (err && !run_failed(run))
		run_fail(run, "cannot map the source: %s", strerror(-err));
	return err;
}

int source_share(struct source *source, struct run *run, const struct source *of)
{
	*source = *of;
	source->shares = source->kind != SOURCE_BUFFER;
	if (source->shares)
		return 0;
	source->map = anonymous(source->page_size);
	if (source->map != MAP_FAILED)
		return 0;
	run_fail(run, "no memory");
	return -ENOMEM;
}

void source_close(struct source *source)
{
	if (source->map && source->map != MAP_FAILED && !source->shares)
		munmap(source->map,
		       source->kind == SOURCE_BUFFER ? source->page_size : source->bytes);
	source->map = NULL;
}

const void *source_page(struct source *source, uint64_t n)
{
	off_t at = (off_t)(n * source->page_size);

	if (source->kind != SOURCE_BUFFER)
		return source->map + at;
	if (pread(source->fd, source->map, source->page_size, at) != (ssize_t)source->page_size)
		return NULL;
	return source->map;
}
