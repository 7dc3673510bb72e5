// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Where a handler copies from: the snapshot file, mapped, read into a buffer, or held in memory
// that was reclaimed.
#ifndef UFFDLOAD_SOURCE_H
#define UFFDLOAD_SOURCE_H

#include "program/kit/run.h"

/* An unlinked file with the contents of all pages. */
struct snapshot {
	int fd;
	size_t bytes;
};

/* The descriptor stays open for the run. 0 or -errno, with a message. */
int snapshot_make(struct snapshot *snapshot, struct run *run, size_t bytes);

/* One thread's view of it. */
struct source {
	enum source_kind kind;
	int fd;
	size_t bytes;
	size_t page_size;
	uint8_t *map; /* map: the file; anon: the copy of it; buffer: one page */
	bool shares;  /* the map is another's */
};

/*
 * In the process that copies; drops the file's pages first if they must be cold. 0 or -errno
 * (-ENOTSUP: they cannot be cold), with a message.
 */
int source_open(struct source *source, struct run *run, const struct snapshot *snapshot,
		size_t page_size, struct tally *tally);
/* Another thread's view: the same map, or a buffer of its own. 0 or -errno, with a message. */
int source_share(struct source *source, struct run *run, const struct source *of);
void source_close(struct source *source);
/* The nth page, in a buffer valid until the next call. NULL with errno set. */
const void *source_page(struct source *source, uint64_t n);

#endif
