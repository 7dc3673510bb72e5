// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// How long a retry window can be, by the memory that the copy comes from.
/*
 * Batches alternate: one with the pages dropped, one (the control) with the same pages mapped. A
 * window lies in its ioctl, so the ioctl's time bounds it. The control has no window, but the same
 * entry, first lock and page. What dropped pages take beyond it is the failed attempt, the fault
 * and the relock. With the copy itself, as long as it takes in user space, that estimates the window
 * and the failed attempt.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/clock.h"
#include "lib/rig.h"
#include "native/native.h"
#include "native/samples.h"
#include "native/memory.h"
#include "steps/arena.h"
#include "steps/cpu.h"

#define PAGES_AT_ONCE_MAX 512

struct cell {
	const struct native_options *options;
	unsigned int word; /* of the source */
	size_t per_copy;
	struct memory memory;
	struct rig_target target;
	struct samples dropped, mapped, page;	       /* page: a copy of one in user space */
	uint64_t windows, with_window, without_window; /* of the dropped batches */
	FILE *log;
};

static void log_windows(const struct cell *cell, uint64_t dst, const bool *windows)
{
	size_t i;

	for (i = 0; i < cell->per_copy; i++)
		if (windows[i])
			fprintf(cell->log, "%s %zu %llu\n", memory_words[cell->word],
				cell->per_copy, (unsigned long long)(dst + i * PAGE));
}

/* Returns how many windows the copy is going to have, or -errno. */
static int look(struct cell *cell, size_t page)
{
	bool windows[PAGES_AT_ONCE_MAX];
	int err = memory_look(&cell->memory, page, cell->per_copy, windows), nr = 0;
	size_t i;

	if (err)
		return err;
	for (i = 0; i < cell->per_copy; i++)
		nr += windows[i];
	if (nr && cell->log)
		log_windows(cell, cell->target.start + page * PAGE, windows);
	return nr;
}

static int copy_once(struct cell *cell, size_t page, bool dropped)
{
	int windows = cell->options->blind ? 0 : look(cell, page);
	struct timed_copy timed;

	if (windows < 0)
		return windows;
	timed = copy_timed(cell->target.uffd, cell->target.start + page * PAGE,
			   cell->memory.map + page * PAGE, cell->per_copy);
	if (timed.err)
		return -timed.err;
	samples_add(dropped ? &cell->dropped : &cell->mapped, timed.end - timed.begin);
	/* A control with a window is no control. */
	if (!dropped)
		return windows ? -EAGAIN : 0;
	cell->windows += (uint64_t)windows;
	cell->with_window += !!windows;
	cell->without_window += !windows;
	return 0;
}

/* The copy alone: from the mapped source to the pages that the batch has filled. */
static void copy_in_user_space(struct cell *cell, size_t pages)
{
	uint64_t begin;
	size_t i, j;

	for (i = 0; i < pages; i++) {
		if (!memory_wants(&cell->memory, i, cell->per_copy))
			continue;
		for (j = i; j < i + cell->per_copy; j++) {
			begin = now_ns();
			memcpy((void *)(cell->target.start + j * PAGE), cell->memory.map + j * PAGE,
			       PAGE);
			samples_add(&cell->page, now_ns() - begin);
		}
	}
}

static int batch(struct cell *cell, bool dropped)
{
	const struct samples *samples = dropped ? &cell->dropped : &cell->mapped;
	size_t i;
	int err = 0;

	if (dropped)
		err = memory_drop(&cell->memory);
	else
		memory_touch(&cell->memory, cell->per_copy);
	for (i = 0; i < cell->memory.pages && !err && samples->nr < samples->max; i++)
		if (memory_wants(&cell->memory, i, cell->per_copy))
			err = copy_once(cell, i, dropped);
	if (err)
		return err;
	if (!dropped)
		copy_in_user_space(cell, i);
	return madvise((void *)cell->target.start, cell->target.len, MADV_DONTNEED) ? -errno : 0;
}

static int copy_all(struct cell *cell)
{
	uint64_t end = now_ns() + cell->options->limit_ms * NS_PER_MS;
	int err = 0;

	while (cell->mapped.nr < cell->mapped.max && now_ns() < end && !err) {
		err = batch(cell, true);
		if (!err)
			err = batch(cell, false);
	}
	return err;
}

/* --- the record ------------------------------------------------------------------------------- */

/* Of one window: see the top. By the means it is exact, by the medians it ignores outliers. */
static struct json_object *estimate_json(struct cell *cell)
{
	double windows = (double)cell->windows / (double)cell->dropped.nr, mean, median;
	struct json_object *estimate;

	if (cell->options->blind || !cell->windows || !cell->page.nr)
		return NULL;
	samples_sort(&cell->dropped);
	samples_sort(&cell->mapped);
	samples_sort(&cell->page);
	mean = samples_mean(&cell->dropped) - samples_mean(&cell->mapped);
	median = samples_median(&cell->dropped) - samples_median(&cell->mapped);
	estimate = json_object_new_object();
	json_object_object_add(estimate, "mean",
			       tenths_json(mean / windows + samples_mean(&cell->page)));
	json_object_object_add(estimate, "p50",
			       tenths_json(median / windows + samples_median(&cell->page)));
	return estimate;
}

static void put_unless_blind(const struct cell *cell, struct json_object *record, const char *name,
			     uint64_t n)
{
	json_object_object_add(record, name,
			       cell->options->blind ? NULL : json_object_new_uint64(n));
}

static void put_numbers(struct cell *cell, struct json_object *record)
{
	const struct memory *memory = &cell->memory;

	put_count(record, "around", memory->around);
	json_object_object_add(record, "cached_after_drop",
			       memory->cached < 0 ? NULL : json_object_new_int64(memory->cached));
	json_object_object_add(record, "file_system",
			       memory->fd < 0 ? NULL : json_object_new_uint64(memory->file_system));
	json_object_object_add(record, "looked", json_object_new_boolean(!cell->options->blind));
	put_unless_blind(cell, record, "windows", cell->windows);
	put_unless_blind(cell, record, "copies_with_window", cell->with_window);
	put_unless_blind(cell, record, "copies_without_window", cell->without_window);
	json_object_object_add(record, "window_estimate_ns", estimate_json(cell));
	json_object_object_add(record, "page_copy_ns", samples_json(&cell->page));
	json_object_object_add(record, "dropped_ns", samples_json(&cell->dropped));
	json_object_object_add(record, "mapped_ns", samples_json(&cell->mapped));
}

static int print_cell(struct cell *cell, const char *reason)
{
	struct json_object *record = record_begin("window", reason);

	put_text(record, "source", memory_words[cell->word]);
	put_count(record, "pages_per_copy", cell->per_copy);
	put_count(record, "asked", cell->options->copies);
	if (!reason)
		put_numbers(cell, record);
	return record_end(record);
}

/* --- cells ------------------------------------------------------------------------------------ */

static const char *open_source(struct cell *cell)
{
	const char *reason =
		memory_open(&cell->memory, cell->word, cell->options->pages, cell->options->dir);
	size_t i;

	for (i = 0; i < cell->options->pages && !reason; i++)
		if (memory_wants(&cell->memory, i, cell->per_copy))
			return NULL;
	return reason ? reason : "no copy of so many pages lies between the mapped ones";
}

static int measure_cell(struct cell *cell)
{
	const char *reason = open_source(cell);
	int err = 0;

	if (!reason) {
		err = rig_target_open(&cell->target, RIG_ANON, cell->options->pages);
		if (!err)
			err = samples_create(&cell->dropped, cell->options->copies);
		if (!err)
			err = samples_create(&cell->mapped, cell->options->copies);
		if (!err)
			err = samples_create(&cell->page, cell->options->copies);
		if (!err)
			err = copy_all(cell);
	}
	if (!err)
		err = print_cell(cell, reason);
	samples_destroy(&cell->dropped);
	samples_destroy(&cell->mapped);
	samples_destroy(&cell->page);
	rig_target_close(&cell->target);
	memory_close(&cell->memory);
	return err;
}

static int measure_source(const struct native_options *options, unsigned int word, FILE *log)
{
	static const size_t sizes[] = { 1, 16 };
	size_t i;
	int err = 0;

	for (i = 0; i < 2 && !err; i++) {
		struct cell cell = { .options = options,
				     .word = word,
				     .per_copy = sizes[i],
				     .log = log,
				     .target = { .uffd = -1, .file = -1 } };

		if (options->pages_per_copy)
			cell.per_copy = options->pages_per_copy;
		err = measure_cell(&cell);
		if (options->pages_per_copy)
			break;
	}
	return err;
}

int measure_window(const struct native_options *options)
{
	FILE *log = options->log ? fopen(options->log, "we") : NULL;
	unsigned int word;
	int err = options->log && !log ? -errno : 0;

	if (cpu_first() >= 0)
		cpu_pin(0, cpu_first());
	for (word = 1; memory_words[word] && !err; word++)
		if (!options->source || options->source == word)
			err = measure_source(options, word, log);
	if (log && fclose(log) && !err)
		err = -errno;
	return err;
}
