// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload free`: copiers and writers that run freely; the truth has only what is certain.
/*
 * Each copy is of one page, from a page that was emptied just before: its first attempt fails, so
 * it has exactly one window. Only a copy that finds no registered VMA is uncertain: it had no
 * window if the first lookup failed, one if the relock failed. With such copies the number of
 * windows has two bounds. With a handler it is known: no event, no window.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "known/free/free.h"
#include "known/options.h"
#include "lib/clock.h"
#include "lib/rig.h"
#include "steps/process.h"

/* Behind each mapping of the arena. */
#define GAP_PAGES 2

/* --- set-up ----------------------------------------------------------------------------------- */

static size_t copier_pages(const struct free_options *options)
{
	return options->pages + 1 + 2 * GAP_PAGES;
}

static int set_up_copier(struct free_run *run, unsigned int n)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	struct copier *copier = &run->copiers[n];
	size_t pages = run->options->pages;
	int err;

	copier->run = run;
	copier->dst = run->arena.start + (GAP_PAGES + n * copier_pages(run->options)) * PAGE;
	copier->src = copier->dst + (pages + GAP_PAGES) * PAGE;
	err = arena_map(&run->arena, copier->dst, pages, &ordinary);
	if (!err)
		err = arena_map(&run->arena, copier->src, 1, &ordinary);
	if (!err)
		err = rig_register(run->uffd, copier->dst, pages * PAGE,
				   UFFDIO_REGISTER_MODE_MISSING);
	if (!err && run->nested >= 0)
		err = rig_register(run->nested, copier->src, PAGE, UFFDIO_REGISTER_MODE_MISSING);
	return err;
}

static int set_up_writer(struct free_run *run, unsigned int n)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	struct writer *writer = &run->writers[n];
	size_t before = GAP_PAGES + run->options->copiers * copier_pages(run->options);

	writer->run = run;
	writer->prng.state = run->options->seed + n;
	writer->scratch = run->arena.start + (before + n * (SCRATCH_PAGES + GAP_PAGES)) * PAGE;
	return arena_map(&run->arena, writer->scratch, SCRATCH_PAGES, &ordinary);
}

/* No other thread may write to this mm in the run, so not even khugepaged. */
static int set_up_logs(struct free_run *run)
{
	unsigned int n;
	int err;

	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		return -errno;
	err = free_log_map(&run->log);
	for (n = 0; n < run->options->copiers && !err; n++)
		err = free_log_map(&run->copiers[n].log);
	for (n = 0; n < run->options->writers && !err; n++)
		err = free_log_map(&run->writers[n].log);
	return err;
}

static int set_up_uffds(struct free_run *run)
{
	run->uffd = rig_uffd_open(0);
	if (run->uffd < 0)
		return run->uffd;
	if (run->options->handled)
		run->nested = rig_uffd_open(0);
	return run->options->handled && run->nested < 0 ? run->nested : 0;
}

static int set_up(struct free_run *run)
{
	const struct free_options *options = run->options;
	size_t pages = GAP_PAGES + options->copiers * copier_pages(options) +
		       options->writers * (size_t)(SCRATCH_PAGES + GAP_PAGES);
	unsigned int n;
	int err;

	run->copiers = calloc(options->copiers, sizeof(*run->copiers));
	run->writers = calloc(options->writers + 1, sizeof(*run->writers));
	if (!run->copiers || !run->writers)
		return -ENOMEM;
	err = set_up_uffds(run);
	if (!err && options->log)
		err = set_up_logs(run);
	if (!err)
		err = arena_create(&run->arena, pages, 1);
	for (n = 0; n < options->copiers && !err; n++)
		err = set_up_copier(run, n);
	for (n = 0; n < options->writers && !err; n++)
		err = set_up_writer(run, n);
	return err;
}

static void tear_down(struct free_run *run)
{
	unsigned int n;

	if (run->uffd >= 0)
		close(run->uffd);
	if (run->nested >= 0)
		close(run->nested);
	free_log_unmap(&run->log);
	for (n = 0; run->copiers && n < run->options->copiers; n++)
		free_log_unmap(&run->copiers[n].log);
	for (n = 0; run->writers && n < run->options->writers; n++)
		free_log_unmap(&run->writers[n].log);
	arena_destroy(&run->arena);
	free(run->copiers);
	free(run->writers);
}

/* --- the run ---------------------------------------------------------------------------------- */

static void end_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

/* The handler first, writers last. */
static int start_threads(struct free_run *run)
{
	unsigned int n;
	int err = 0;

	if (run->nested >= 0) {
		err = pthread_create(&run->handler, NULL, free_handle, run);
		run->has_handler = !err;
	}
	for (n = 0; n < run->options->copiers && !err; n++) {
		err = pthread_create(&run->copiers[n].thread, NULL, free_copy, &run->copiers[n]);
		run->nr_copiers += !err;
	}
	for (n = 0; n < run->options->writers && run->options->what != FREE_NONE && !err; n++) {
		err = pthread_create(&run->writers[n].thread, NULL, free_write, &run->writers[n]);
		run->nr_writers += !err;
	}
	return -err;
}

static void join_threads(struct free_run *run)
{
	unsigned int n;

	atomic_store(&run->stop, true);
	for (n = 0; n < run->nr_copiers; n++)
		pthread_join(run->copiers[n].thread, NULL);
	atomic_store(&run->handled, true);
	if (run->has_handler)
		pthread_join(run->handler, NULL);
	for (n = 0; n < run->nr_writers; n++)
		pthread_join(run->writers[n].thread, NULL);
}

static void sleep_until_end(const struct free_run *run)
{
	uint64_t ms = run->options->duration_ms;
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
			       .tv_nsec = (long)(ms % 1000) * 1000000 };
	sigset_t set;

	end_signals(&set);
	while (sigtimedwait(&set, NULL, ms ? &ts : NULL) < 0 && errno == EINTR)
		;
}

/* Starting and joining a thread may map, protect and unmap its stack. */
static int run_threads(struct free_run *run)
{
	struct free_entry starts = { .begin = free_log_now(&run->log) }, joins;
	int64_t start = now_ns();
	int err = start_threads(run);

	starts.end = free_log_now(&run->log);
	free_log_add(&run->log, &starts);
	if (!err)
		sleep_until_end(run);
	joins = (struct free_entry) { .begin = free_log_now(&run->log) };
	join_threads(run);
	joins.end = free_log_now(&run->log);
	free_log_add(&run->log, &joins);
	run->elapsed_ns = now_ns() - start;
	return err;
}

/* --- what is certain -------------------------------------------------------------------------- */

struct sums {
	struct truth truth;
	uint64_t uncertain;
	uint64_t without;
	uint64_t chains;
	uint64_t longest;
	uint64_t writes;
};

static void add_up(const struct free_run *run, struct sums *sums)
{
	unsigned int n;

	for (n = 0; n < run->nr_copiers; n++) {
		const struct copier *copier = &run->copiers[n];

		copies_sum(&sums->truth.copies, &copier->truth.copies);
		sums->uncertain += copier->uncertain;
		sums->without += copier->without;
		sums->chains += copier->chains;
		if (copier->longest > sums->longest)
			sums->longest = copier->longest;
	}
	for (n = 0; n < run->nr_writers; n++)
		sums->writes += run->writers[n].writes;
}

/* Of the handler, or the first writer that failed. */
static int thread_error(const struct free_run *run)
{
	unsigned int n;

	if (run->handler_err)
		return run->handler_err;

	for (n = 0; n < run->nr_writers; n++)
		if (run->writers[n].err)
			return run->writers[n].err;
	return 0;
}

static struct json_object *windows_json(const struct sums *sums)
{
	struct json_object *windows = json_object_new_object();
	uint64_t most = sums->truth.copies.calls - sums->without;

	json_object_object_add(windows, "total",
			       sums->uncertain ? NULL : json_object_new_uint64(most));
	json_object_object_add(windows, "at_least", json_object_new_uint64(most - sums->uncertain));
	json_object_object_add(windows, "at_most", json_object_new_uint64(most));
	return windows;
}

static struct json_object *chains_json(const struct sums *sums)
{
	struct json_object *chains = json_object_new_object();

	json_object_object_add(chains, "count", json_object_new_uint64(sums->chains));
	json_object_object_add(chains, "longest", json_object_new_uint64(sums->longest));
	return chains;
}

static int report(const struct free_run *run)
{
	struct json_object *object = truth_head("free", run->options->seed);
	double seconds = (double)run->elapsed_ns / 1e9;
	struct sums sums = { 0 };
	int err;

	add_up(run, &sums);
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

/* The mappings of the copiers, and all entries. */
static void put_log(FILE *to, const struct free_run *run)
{
	size_t len = run->options->pages * PAGE;
	unsigned int n;

	for (n = 0; n < run->nr_copiers; n++)
		fprintf(to, "mapping %" PRIu64 " %" PRIu64 "\n", run->copiers[n].dst,
			run->copiers[n].dst + len);
	for (n = 0; n < run->nr_copiers; n++)
		free_log_put_copies(to, &run->copiers[n].log);
	for (n = 0; n < run->nr_writers; n++)
		free_log_put_writes(to, &run->writers[n].log, free_what_words[run->options->what]);
	free_log_put_others(to, &run->log);
}

static int write_log(const struct free_run *run)
{
	FILE *to = fopen(run->options->log, "we");
	bool bad;

	if (!to)
		return -errno;
	put_log(to, run);
	bad = ferror(to);
	return fclose(to) || bad ? -EIO : 0;
}

static int free_main(const struct load *load, const void *values)
{
	static struct free_run run = { .uffd = -1, .nested = -1 };
	const struct free_options *options = values;
	sigset_t set;
	int err;

	(void)load;
	if (!may_use_uffd())
		return EXIT_FAILURE;
	/* Before any thread exists: all inherit it, and only this one waits for a signal. */
	end_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	run.options = options;
	err = set_up(&run);
	if (!err && options->wait)
		wait_for_go();
	if (!err)
		err = run_threads(&run);
	if (!err)
		err = thread_error(&run);
	if (!err && options->log)
		err = write_log(&run);
	if (err)
		warnx("%s", strerror(-err));
	if (!err && report(&run))
		err = -EIO;
	tear_down(&run);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const char *const free_what_words[] = { "unrelated", "benign", "replaced", "none", NULL };

static const struct setting settings[] = {
	NUMBER_SETTING(struct free_options, pages, "pages", "N", 1, 1 << 20,
		       "Pages of each copier's destination"),
	NUMBER_SETTING(struct free_options, copiers, "copiers", "T", 1, COPIERS_MAX,
		       "Copier threads"),
	NUMBER_SETTING(struct free_options, writers, "writers", "W", 0, 256, "Writer threads"),
	NUMBER_SETTING(struct free_options, rate, "rate", "R", 0, 1000000,
		       "Write operations a second of each writer, 0 for as fast as it can"),
	WORD_SETTING(struct free_options, what, "what", "WHAT", free_what_words,
		     "What the writers write: unrelated (other mappings), benign (the destinations, "
		     "but nothing that the kernel's check compares), replaced (the destinations "
		     "anew), none"),
	SEED(struct free_options),
	TIME_SETTING(struct free_options, duration_ms, "duration",
		     "Stop after TIME, like 500ms, 10s or 1m (default: at a signal)"),
	WAIT(struct free_options),
	FLAG_SETTING(struct free_options, handled, "handled",
		     "A handler fills the sources and holds some windows open, so that it is known "
		     "when they were"),
	TEXT_SETTING(struct free_options, log, "log", "FILE",
		     "Write to FILE when each copy and each write began and ended"),
	{ 0 },
};

static const struct free_options defaults = { .pages = 256,
					      .copiers = 2,
					      .writers = 1,
					      .rate = 1000,
					      .seed = DEFAULT_SEED };

const struct load free_load = {
	.name = "free",
	.doc = "Copiers and writers that run freely. Each copy comes from an untouched page, so "
	       "it has exactly one window. The truth has only what is certain. SIGINT and "
	       "SIGTERM end it with the truth printed.",
	.settings = { settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = free_main,
};
