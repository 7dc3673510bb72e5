// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The threads of `uffdload free`: copiers that fill their destinations over and over, and writers
// at a rate.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "known/free/free.h"
#include "lib/rig.h"
#include "steps/pace.h"

static bool stopped(struct free_run *run)
{
	return atomic_load_explicit(&run->stop, memory_order_relaxed);
}

/* --- copiers ---------------------------------------------------------------------------------- */

/* A copy without a window, if that is known, is not logged. */
static void log_copy(struct copier *copier, struct free_entry *entry)
{
	struct free_run *run = copier->run;

	if (run->nested >= 0) {
		entry->opened = atomic_load(&copier->opened);
		entry->resolved = atomic_load(&copier->resolved);
		copier->without += !entry->opened;
		if (!entry->opened)
			return;
	}
	if (!free_log_add(&copier->log, entry))
		atomic_store(&run->stop, true);
}

/* 0 or the errno. */
static int copy_page(struct copier *copier, uint64_t dst)
{
	struct uffdio_copy copy = { .dst = dst, .src = copier->src, .len = PAGE };
	struct free_entry entry = { .start = dst };
	int err;

	madvise((void *)copier->src, PAGE, MADV_DONTNEED);
	atomic_store(&copier->opened, 0);
	entry.begin = free_log_now(&copier->log);
	err = ioctl(copier->run->uffd, UFFDIO_COPY, &copy) ? errno : 0;
	entry.end = free_log_now(&copier->log);
	entry.err = err;
	truth_add_copy(&copier->truth, err, err ? 0 : PAGE);
	if (copier->run->nested < 0)
		copier->uncertain += err && err != EAGAIN && err != EEXIST;
	log_copy(copier, &entry);
	return err;
}

/* Until the page is there. */
static void fill_page(struct copier *copier, uint64_t dst)
{
	uint64_t failures = 0;
	int err = 0;

	while (!stopped(copier->run)) {
		err = copy_page(copier, dst);
		if (!err || err == EEXIST)
			break;
		failures++;
	}
	if (err || !failures)
		return;
	copier->chains++;
	if (failures > copier->longest)
		copier->longest = failures;
}

void *free_copy(void *data)
{
	struct copier *copier = data;
	size_t pages = copier->run->options->pages;
	size_t i;

	copier->log.tid = gettid();
	while (!stopped(copier->run)) {
		for (i = 0; i < pages && !stopped(copier->run); i++)
			fill_page(copier, copier->dst + i * PAGE);
		madvise((void *)copier->dst, pages * PAGE, MADV_DONTNEED);
	}
	return NULL;
}

/* --- writers ---------------------------------------------------------------------------------- */

static int protect_and_back(uint64_t start, size_t pages)
{
	void *at = (void *)start;

	if (mprotect(at, pages * PAGE, PROT_READ) ||
	    mprotect(at, pages * PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	return 0;
}

static int map_and_unmap(void)
{
	void *area =
		mmap(NULL, SCRATCH_PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED || munmap(area, SCRATCH_PAGES * PAGE) ? -errno : 0;
}

static int write_unrelated(struct writer *writer)
{
	if (prng_below(&writer->prng, 2))
		return map_and_unmap();
	return protect_and_back(writer->scratch, SCRATCH_PAGES);
}

/* A copier's destination for @entry, @pages of it. */
static uint64_t write_to(struct writer *writer, struct free_entry *entry, size_t pages)
{
	struct free_run *run = writer->run;

	entry->start = run->copiers[prng_below(&writer->prng, run->options->copiers)].dst;
	entry->stop = entry->start + pages * PAGE;
	return entry->start;
}

/*
 * A destination, but nothing that the check of 7.1 and later compares in an anonymous VMA. What the
 * first half of a call changes its second half changes back. Another writer may have done either,
 * but then it did so during this call: the range was locked in it.
 */
static int write_benign(struct writer *writer, struct free_entry *entry)
{
	const struct free_options *options = writer->run->options;
	size_t half = (options->pages + 1) / 2;
	void *at;

	switch (prng_below(&writer->prng, 3)) {
	case 0:
		return protect_and_back(write_to(writer, entry, options->pages), options->pages);
	case 1:
		return protect_and_back(write_to(writer, entry, half), half);
	default:
		at = (void *)write_to(writer, entry, options->pages);
		if (madvise(at, options->pages * PAGE, MADV_DONTFORK) ||
		    madvise(at, options->pages * PAGE, MADV_DOFORK))
			return -errno;
		return 0;
	}
}

static int write_replaced(struct writer *writer, struct free_entry *entry)
{
	const struct mapping anew = { .backing = BACKED_ANON };
	struct free_run *run = writer->run;
	uint64_t dst = write_to(writer, entry, run->options->pages);
	int err = arena_map(&run->arena, dst, run->options->pages, &anew);

	return err ? err
		   : rig_register(run->uffd, dst, run->options->pages * PAGE,
				  UFFDIO_REGISTER_MODE_MISSING);
}

/* @entry gets the range that is locked for certain. */
static int write_once(struct writer *writer, struct free_entry *entry)
{
	switch (writer->run->options->what) {
	case FREE_UNRELATED:
		return write_unrelated(writer);
	case FREE_BENIGN:
		return write_benign(writer, entry);
	case FREE_REPLACED:
		return write_replaced(writer, entry);
	default:
		return 0;
	}
}

static int write_logged(struct writer *writer)
{
	struct free_entry entry = { .begin = free_log_now(&writer->log) };
	int err = write_once(writer, &entry);

	entry.end = free_log_now(&writer->log);
	if (!free_log_add(&writer->log, &entry))
		atomic_store(&writer->run->stop, true);
	return err;
}

static void sleep_until(int64_t when)
{
	struct timespec ts = { .tv_sec = when / NS_PER_S, .tv_nsec = when % NS_PER_S };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

void *free_write(void *data)
{
	struct writer *writer = data;
	uint64_t rate = writer->run->options->rate;
	int64_t next = now_ns();

	writer->log.tid = gettid();
	while (!stopped(writer->run) && !writer->err) {
		writer->err = write_logged(writer);
		writer->writes++;
		if (!rate)
			continue;
		next = pace_next(next, rate);
		sleep_until(next);
	}
	return NULL;
}
