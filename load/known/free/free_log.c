// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The log of `uffdload free --log`: kept in memory during the run, written to a file after it.
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "known/free/free_log.h"
#include "lib/clock.h"

/* Of one thread. Only what is used takes memory. */
#define ENTRIES (1 << 20)

int free_log_map(struct free_log *log)
{
	void *area = mmap(NULL, ENTRIES * sizeof(*log->entries), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	log->entries = area;
	return 0;
}

void free_log_unmap(struct free_log *log)
{
	if (log->entries)
		munmap(log->entries, ENTRIES * sizeof(*log->entries));
	log->entries = NULL;
}

uint64_t free_log_now(const struct free_log *log)
{
	return log->entries ? now_ns() : 0;
}

bool free_log_add(struct free_log *log, const struct free_entry *entry)
{
	if (!log->entries)
		return true;
	log->entries[log->nr++] = *entry;
	return log->nr < ENTRIES;
}

void free_log_put_copies(FILE *to, const struct free_log *log)
{
	const struct free_entry *e = log->entries;
	size_t i;

	for (i = 0; i < log->nr; i++, e++)
		fprintf(to,
			"copy %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d\n",
			log->tid, e->start, e->begin, e->end, e->opened, e->resolved, e->err);
}

void free_log_put_writes(FILE *to, const struct free_log *log, const char *what)
{
	const struct free_entry *e = log->entries;
	size_t i;

	for (i = 0; i < log->nr; i++, e++)
		fprintf(to, "write %s %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", what,
			log->tid, e->begin, e->end, e->start, e->stop);
}

void free_log_put_others(FILE *to, const struct free_log *log)
{
	const struct free_entry *e = log->entries;
	size_t i;

	for (i = 0; i < log->nr; i++, e++)
		fprintf(to, "other %" PRIu64 " %" PRIu64 "\n", e->begin, e->end);
}
