// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The log of `uffdload free --log`: when each copy and each write began and ended.
#ifndef UFFDLOAD_FREE_LOG_H
#define UFFDLOAD_FREE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* All times are CLOCK_MONOTONIC, which the tool's clock is too. */
struct free_entry {
	uint64_t begin;
	uint64_t end;
	uint64_t start; /* a copy's destination; the range that a write surely locks, or 0 */
	uint64_t stop;
	uint64_t opened; /* with a handler: between these two the copy's window was open; or 0 */
	uint64_t resolved;
	int err; /* of a copy */
};

/* One thread's. Its memory is mapped before the run, because each mapping is a write. */
struct free_log {
	struct free_entry *entries; /* NULL: there is no log */
	size_t nr;
	int tid;
};

/* 0 or -errno. */
int free_log_map(struct free_log *log);
void free_log_unmap(struct free_log *log);
/* The time, or 0 if there is no log. */
uint64_t free_log_now(const struct free_log *log);
/* Returns false when no other entry has room: then the run must end. */
bool free_log_add(struct free_log *log, const struct free_entry *entry);
/*
 * Print a line for each entry:
 *	copy TID DST BEGIN END OPENED RESOLVED ERRNO
 *	write WHAT TID BEGIN END START STOP
 *	other BEGIN END
 */
void free_log_put_copies(FILE *to, const struct free_log *log);
void free_log_put_writes(FILE *to, const struct free_log *log, const char *what);
void free_log_put_others(FILE *to, const struct free_log *log);

#endif
