// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload native`: how long windows and write sections are, and how often they meet, by clocks
// alone: without tracing, on any kernel with userfaultfd.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/clock.h"
#include "native/host.h"
#include "native/native.h"
#include "native/operation.h"
#include "native/memory.h"
#include "steps/arena.h"
#include "steps/copies.h"
#include "steps/load.h"
#include "steps/process.h"

/* --- records ---------------------------------------------------------------------------------- */

void put_text(struct json_object *record, const char *name, const char *text)
{
	json_object_object_add(record, name, text ? json_object_new_string(text) : NULL);
}

void put_count(struct json_object *record, const char *name, uint64_t n)
{
	json_object_object_add(record, name, json_object_new_uint64(n));
}

struct json_object *record_begin(const char *measure, const char *reason)
{
	struct json_object *record = json_object_new_object();

	put_text(record, "type", "native");
	put_count(record, "schema", 1);
	put_text(record, "measure", measure);
	json_object_object_add(record, "available", json_object_new_boolean(!reason));
	put_text(record, "why", reason);
	return record;
}

int record_end(struct json_object *record)
{
	int err;

	json_object_object_add(record, "host", host_json());
	err = print_json(record);
	json_object_put(record);
	return err ? -EIO : 0;
}

/* --- copies ----------------------------------------------------------------------------------- */

struct timed_copy copy_timed(int uffd, uint64_t dst, const void *src, size_t pages)
{
	struct uffdio_copy copy = { .dst = dst, .src = (uint64_t)src, .len = pages * PAGE };
	struct timed_copy timed = { .begin = now_ns() };

	timed.err = ioctl(uffd, UFFDIO_COPY, &copy) ? errno : 0;
	timed.end = now_ns();
	return timed;
}

/* --- the command ------------------------------------------------------------------------------ */

static int native_main(const struct load *load, const void *values)
{
	static int (*const measures[])(const struct native_options *) = {
		[MEASURE_WINDOW] = measure_window,
		[MEASURE_HOLD] = measure_hold,
		[MEASURE_OVERLAP] = measure_overlap,
	};
	const struct native_options *options = values;
	int err;

	(void)load;
	if (options->pages * PAGE % HUGE)
		errx(EXIT_USAGE, "--pages must be a multiple of %lu", HUGE / PAGE);
	if (!may_use_uffd())
		return EXIT_FAILURE;
	err = measures[options->measure](options);
	if (err)
		warnx("%s", strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const char *const measure_words[] = { "window", "hold", "overlap", NULL };

static const struct setting settings[] = {
	WORD_SETTING(struct native_options, measure, "measure", "WHAT", measure_words,
		     "window: how long UFFDIO_COPY takes with and without a retry window; hold: how "
		     "long calls take that hold mmap_lock for write; overlap: how many copies meet "
		     "such a call"),
	WORD_SETTING(struct native_options, source, "source", "SOURCE", memory_words,
		     "Copy from this memory; overlap has memfd-cached (its default), "
		     "memfd, file, cold, anon and thp"),
	WORD_SETTING(struct native_options, operation, "operation", "OP", operation_words,
		     "hold, overlap: these calls; in overlap the default is mprotect"),
	NUMBER_SETTING(struct native_options, copies, "copies", "N", 1, 10000000,
		       "window, hold: this many copies, or calls, of each kind; overlap: at most 20000 "
		       "of each before copiers and writers meet"),
	TIME_SETTING(struct native_options, limit_ms, "limit",
		     "window, hold: go on to the next kind after TIME (default 10s)"),
	NUMBER_SETTING(struct native_options, pages, "pages", "N", 512, 1 << 20,
		       "Pages of the source, a multiple of 512"),
	NUMBER_SETTING(struct native_options, pages_per_copy, "pages-per-copy", "K", 1, 512,
		       "window: pages of each ioctl (default: 1, then 16)"),
	TEXT_SETTING(struct native_options, dir, "dir", "DIR",
		     "The file's directory (default: TMPDIR, or /tmp)"),
	FLAG_SETTING(struct native_options, blind, "blind",
		     "window: do not read the pagemap before each copy, which warms the page table"),
	TEXT_SETTING(struct native_options, log, "log", "FILE",
		     "window: write to FILE the destination of each copy that has a window"),
	RATE_SETTING(struct native_options, rate, "writer-rate", 10000000,
		     "overlap: calls a second of all writers together"),
	NUMBER_SETTING(struct native_options, writers, "writers", "N", 1, THREADS_MAX,
		       "overlap: writers"),
	NUMBER_SETTING(struct native_options, copiers, "copiers", "N", 1, THREADS_MAX,
		       "overlap: copiers"),
	FLAG_SETTING(struct native_options, elsewhere, "elsewhere",
		     "overlap: the copiers are in another process than the destination"),
	TIME_SETTING(struct native_options, duration_ms, "duration",
		     "overlap: copy for TIME (default 2s)"),
	{ 0 },
};

static const struct native_options defaults = { .copies = 100000,
						.limit_ms = 10000,
						.duration_ms = 2000,
						.pages = 4096,
						.rate = 1000,
						.writers = 1,
						.copiers = 1 };

const struct load native_load = {
	.name = "native",
	.doc = "Times by the clock alone, on any kernel with userfaultfd: no tracing, and no root "
	       "where userfaultfd needs none. A JSON line for each kind of memory, call or rate; "
	       "what this machine lacks has \"available\":false and the reason.\v"
	       "Exit: 0 measured, 1 not (named on stderr), 64 usage. docs/development/loads.md "
	       "says what each number bounds.",
	.settings = { settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = native_main,
};
