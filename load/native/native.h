// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload native`: its options, and its three measurements.
#ifndef UFFDLOAD_NATIVE_H
#define UFFDLOAD_NATIVE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREADS_MAX 8 /* copiers, and writers */

enum native_measure { MEASURE_WINDOW, MEASURE_HOLD, MEASURE_OVERLAP };

struct native_options {
	enum native_measure measure;
	unsigned int source;	/* of memory_words */
	unsigned int operation; /* of operation_words */
	unsigned int pages;
	unsigned int pages_per_copy; /* 0: 1, then 16 */
	uint64_t copies;
	uint64_t limit_ms;
	uint64_t duration_ms;
	uint64_t rate;
	unsigned int copiers;
	unsigned int writers;
	bool elsewhere;
	bool blind;
	const char *dir;
	const char *log;
};

/* Each prints its records. 0 or -errno. */
int measure_window(const struct native_options *options);
int measure_hold(const struct native_options *options);
int measure_overlap(const struct native_options *options);

/* {"type":"native","schema":1,"measure":...,"available":...,"why":...}; REASON: why not, or NULL */
struct json_object *record_begin(const char *measure, const char *reason);
/* Add the host, print it, free it. 0 or -errno. */
int record_end(struct json_object *record);
void put_text(struct json_object *record, const char *name, const char *text);
void put_count(struct json_object *record, const char *name, uint64_t n);

/* One UFFDIO_COPY of that many pages: how long it took, and 0 or the errno. */
struct timed_copy {
	uint64_t begin;
	uint64_t end;
	int err;
};
struct timed_copy copy_timed(int uffd, uint64_t dst, const void *src, size_t pages);

#endif
