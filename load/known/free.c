// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload free`: copiers and writers that run freely; the truth has only what is certain all the same.
/*
 * Each copy is of one page, from a page that was emptied just before: its first attempt fails, so it has exactly one
 * window. Only a copy that finds no registered VMA may have had none (when it found none at first) or one (when it
 * found none again): with these the number of windows has two bounds.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "steps/arena.h"
#include "load.h"
#include "steps/pace.h"
#include "steps/prng.h"
#include "lib/rig.h"

/* A writer's own mapping, and the gap behind each mapping of the arena. */
#define SCRATCH_PAGES 8
#define GAP_PAGES 2

struct free_load;

struct copier {
	struct free_load *load;
	uint64_t dst;
	uint64_t src;
	struct truth truth;
	uint64_t uncertain; /* copies that may have had a window or not */
	uint64_t chains;    /* pages that were copied at last after some failures */
	uint64_t longest;
	pthread_t thread;
};

struct writer {
	struct free_load *load;
	uint64_t scratch;
	struct prng prng;
	uint64_t writes;
	int err;
	pthread_t thread;
};

struct free_load {
	const struct free_options *options;
	struct arena arena;
	int uffd;
	struct copier *copiers;
	struct writer *writers;
	unsigned int nr_copiers; /* started */
	unsigned int nr_writers;
	atomic_bool stop;
	int64_t elapsed_ns;
};

static bool stopped(struct free_load *load)
{
	return atomic_load_explicit(&load->stop, memory_order_relaxed);
}

/* --- copiers ------------------------------------------------------------------------------------------------ */

/* 0 or the errno. */
static int copy_page(struct copier *copier, uint64_t dst)
{
	struct uffdio_copy copy = { .dst = dst, .src = copier->src, .len = PAGE };
	int err;

	madvise((void *)copier->src, PAGE, MADV_DONTNEED);
	err = ioctl(copier->load->uffd, UFFDIO_COPY, &copy) ? errno : 0;
	truth_add_copy(&copier->truth, err, err ? 0 : PAGE);
	copier->uncertain += err && err != EAGAIN && err != EEXIST;
	return err;
}

/* Until it is there. */
static void fill_page(struct copier *copier, uint64_t dst)
{
	uint64_t failures = 0;
	int err = 0;

	while (!stopped(copier->load)) {
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

static void *copy_freely(void *data)
{
	struct copier *copier = data;
	size_t pages = copier->load->options->pages;
	size_t i;

	while (!stopped(copier->load)) {
		for (i = 0; i < pages && !stopped(copier->load); i++)
			fill_page(copier, copier->dst + i * PAGE);
		madvise((void *)copier->dst, pages * PAGE, MADV_DONTNEED);
	}
	return NULL;
}

/* --- writers ------------------------------------------------------------------------------------------------ */

static int protect_and_back(uint64_t start, size_t pages)
{
	void *at = (void *)start;

	if (mprotect(at, pages * PAGE, PROT_READ) || mprotect(at, pages * PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	return 0;
}

static int map_and_unmap(void)
{
	void *area = mmap(NULL, SCRATCH_PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED || munmap(area, SCRATCH_PAGES * PAGE) ? -errno : 0;
}

static int write_unrelated(struct writer *writer)
{
	if (prng_below(&writer->prng, 2))
		return map_and_unmap();
	return protect_and_back(writer->scratch, SCRATCH_PAGES);
}

/* Some destination; nothing that the check of 7.1 and later compares in an anonymous VMA. */
static int write_benign(struct writer *writer)
{
	const struct free_options *options = writer->load->options;
	uint64_t dst = writer->load->copiers[prng_below(&writer->prng, options->copiers)].dst;
	void *at = (void *)dst;

	switch (prng_below(&writer->prng, 3)) {
	case 0:
		return protect_and_back(dst, options->pages);
	case 1:
		return protect_and_back(dst, (options->pages + 1) / 2);
	default:
		if (madvise(at, options->pages * PAGE, MADV_DONTFORK) ||
		    madvise(at, options->pages * PAGE, MADV_DOFORK))
			return -errno;
		return 0;
	}
}

static int write_replaced(struct writer *writer)
{
	const struct mapping anew = { .backing = BACKED_ANON };
	struct free_load *load = writer->load;
	uint64_t dst = load->copiers[prng_below(&writer->prng, load->options->copiers)].dst;
	int err = arena_map(&load->arena, dst, load->options->pages, &anew);

	return err ? err : rig_register(load->uffd, dst, load->options->pages * PAGE, UFFDIO_REGISTER_MODE_MISSING);
}

static int write_once(struct writer *writer)
{
	switch (writer->load->options->what) {
	case FREE_UNRELATED:
		return write_unrelated(writer);
	case FREE_BENIGN:
		return write_benign(writer);
	case FREE_REPLACED:
		return write_replaced(writer);
	default:
		return 0;
	}
}

static void sleep_until(int64_t when)
{
	struct timespec ts = { .tv_sec = when / NS_PER_S, .tv_nsec = when % NS_PER_S };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void *write_freely(void *data)
{
	struct writer *writer = data;
	uint64_t rate = writer->load->options->rate;
	int64_t next = now_ns();

	while (!stopped(writer->load) && !writer->err) {
		writer->err = write_once(writer);
		writer->writes++;
		if (!rate)
			continue;
		next = pace_next(next, rate);
		sleep_until(next);
	}
	return NULL;
}

/* --- set-up ------------------------------------------------------------------------------------------------- */

static size_t copier_pages(const struct free_options *options)
{
	return options->pages + 1 + 2 * GAP_PAGES;
}

static int set_up_copier(struct free_load *load, unsigned int n)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	struct copier *copier = &load->copiers[n];
	size_t pages = load->options->pages;
	int err;

	copier->load = load;
	copier->dst = load->arena.start + (GAP_PAGES + n * copier_pages(load->options)) * PAGE;
	copier->src = copier->dst + (pages + GAP_PAGES) * PAGE;
	err = arena_map(&load->arena, copier->dst, pages, &ordinary);
	if (!err)
		err = arena_map(&load->arena, copier->src, 1, &ordinary);
	return err ? err : rig_register(load->uffd, copier->dst, pages * PAGE, UFFDIO_REGISTER_MODE_MISSING);
}

static int set_up_writer(struct free_load *load, unsigned int n)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	struct writer *writer = &load->writers[n];
	size_t before = GAP_PAGES + load->options->copiers * copier_pages(load->options);

	writer->load = load;
	writer->prng.state = load->options->seed + n;
	writer->scratch = load->arena.start + (before + n * (SCRATCH_PAGES + GAP_PAGES)) * PAGE;
	return arena_map(&load->arena, writer->scratch, SCRATCH_PAGES, &ordinary);
}

static int set_up(struct free_load *load)
{
	const struct free_options *options = load->options;
	size_t pages = GAP_PAGES + options->copiers * copier_pages(options) +
		       options->writers * (size_t)(SCRATCH_PAGES + GAP_PAGES);
	unsigned int n;
	int err;

	load->copiers = calloc(options->copiers, sizeof(*load->copiers));
	load->writers = calloc(options->writers + 1, sizeof(*load->writers));
	if (!load->copiers || !load->writers)
		return -ENOMEM;
	load->uffd = rig_uffd_open(0);
	if (load->uffd < 0)
		return load->uffd;
	err = arena_create(&load->arena, pages, 1);
	for (n = 0; n < options->copiers && !err; n++)
		err = set_up_copier(load, n);
	for (n = 0; n < options->writers && !err; n++)
		err = set_up_writer(load, n);
	return err;
}

static void tear_down(struct free_load *load)
{
	if (load->uffd >= 0)
		close(load->uffd);
	arena_destroy(&load->arena);
	free(load->copiers);
	free(load->writers);
}

/* --- the run ------------------------------------------------------------------------------------------------ */

static void end_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

/* Writers last: a new thread's stack is a write, and copies under way would see it. */
static int start_threads(struct free_load *load)
{
	unsigned int n;
	int err = 0;

	for (n = 0; n < load->options->copiers && !err; n++) {
		err = pthread_create(&load->copiers[n].thread, NULL, copy_freely, &load->copiers[n]);
		load->nr_copiers += !err;
	}
	for (n = 0; n < load->options->writers && load->options->what != FREE_NONE && !err; n++) {
		err = pthread_create(&load->writers[n].thread, NULL, write_freely, &load->writers[n]);
		load->nr_writers += !err;
	}
	return -err;
}

static void join_threads(struct free_load *load)
{
	unsigned int n;

	atomic_store(&load->stop, true);
	for (n = 0; n < load->nr_copiers; n++)
		pthread_join(load->copiers[n].thread, NULL);
	for (n = 0; n < load->nr_writers; n++)
		pthread_join(load->writers[n].thread, NULL);
}

static void sleep_until_end(const struct free_load *load)
{
	uint64_t ms = load->options->duration_ms;
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
	sigset_t set;

	end_signals(&set);
	while (sigtimedwait(&set, NULL, ms ? &ts : NULL) < 0 && errno == EINTR)
		;
}

static int run(struct free_load *load)
{
	int64_t start = now_ns();
	int err = start_threads(load);

	if (!err)
		sleep_until_end(load);
	join_threads(load);
	load->elapsed_ns = now_ns() - start;
	return err;
}

/* --- what is certain ---------------------------------------------------------------------------------------- */

struct sums {
	struct truth truth;
	uint64_t uncertain;
	uint64_t chains;
	uint64_t longest;
	uint64_t writes;
};

static void add_up(const struct free_load *load, struct sums *sums)
{
	unsigned int n;

	for (n = 0; n < load->nr_copiers; n++) {
		const struct copier *copier = &load->copiers[n];

		copies_sum(&sums->truth.copies, &copier->truth.copies);
		sums->uncertain += copier->uncertain;
		sums->chains += copier->chains;
		if (copier->longest > sums->longest)
			sums->longest = copier->longest;
	}
	for (n = 0; n < load->nr_writers; n++)
		sums->writes += load->writers[n].writes;
}

/* The first writer that failed. */
static int writer_error(const struct free_load *load)
{
	unsigned int n;

	for (n = 0; n < load->nr_writers; n++)
		if (load->writers[n].err)
			return load->writers[n].err;
	return 0;
}

static struct json_object *windows_json(const struct sums *sums)
{
	struct json_object *windows = json_object_new_object();
	uint64_t calls = sums->truth.copies.calls;

	json_object_object_add(windows, "total", sums->uncertain ? NULL : json_object_new_uint64(calls));
	json_object_object_add(windows, "at_least", json_object_new_uint64(calls - sums->uncertain));
	json_object_object_add(windows, "at_most", json_object_new_uint64(calls));
	return windows;
}

static struct json_object *chains_json(const struct sums *sums)
{
	struct json_object *chains = json_object_new_object();

	json_object_object_add(chains, "count", json_object_new_uint64(sums->chains));
	json_object_object_add(chains, "longest", json_object_new_uint64(sums->longest));
	return chains;
}

static int report(const struct free_load *load)
{
	struct json_object *object = truth_head("free", load->options->seed);
	double seconds = (double)load->elapsed_ns / 1e9;
	struct sums sums = { 0 };
	int err;

	add_up(load, &sums);
	truth_put_copy(object, &sums.truth);
	json_object_object_add(object, "windows", windows_json(&sums));
	json_object_object_add(object, "chains", chains_json(&sums));
	json_object_object_add(object, "external", json_object_new_uint64(0));
	json_object_object_add(object, "writes", json_object_new_uint64(sums.writes));
	json_object_object_add(object, "elapsed_s", json_object_new_double(seconds));
	json_object_object_add(object, "copies_per_s",
			       json_object_new_double((double)sums.truth.copies.calls / seconds));
	err = print_json(object);
	json_object_put(object);
	return err;
}

int free_main(const struct free_options *options)
{
	static struct free_load load = { .uffd = -1 };
	sigset_t set;
	int err;

	if (!may_use_uffd())
		return EXIT_FAILURE;
	/* Blocked before any thread exists: all inherit it, and only this one waits for them. */
	end_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	load.options = options;
	err = set_up(&load);
	if (!err && options->wait)
		wait_for_go();
	if (!err)
		err = run(&load);
	if (!err)
		err = writer_error(&load);
	if (err)
		warnx("%s", strerror(-err));
	if (!err && report(&load))
		err = -EIO;
	tear_down(&load);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
