// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload busy`: a known number of windows, opened by many copiers at once.
/*
 * Each page is copied from a page that nobody touched since it was mapped or emptied: the first
 * attempt fails, so each page (of hugetlb: each huge page) has exactly one window. All threads and
 * mappings exist before the first window, so only --writer holds mmap_lock for write. Without it
 * all windows are quiet.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "known/busy/busy.h"
#include "known/options.h"
#include "lib/clock.h"
#include "lib/rig.h"
#include "steps/process.h"

#define AREA_PAGES 256
#define AREA_HUGE_PAGES 2

/* --- set-up ----------------------------------------------------------------------------------- */

/* Bytes of a copier's destination, and of its source. */
static size_t area_bytes(const struct busy_run *run)
{
	return run->area * run->page;
}

/* A page, or a huge one, lies behind each mapping, which keeps it from merging. */
static size_t step(const struct busy_run *run)
{
	return area_bytes(run) + run->page;
}

static size_t arena_pages(const struct busy_run *run)
{
	/* Two huge pages more: one to align the start, one for the writer's page. */
	return (2 * run->options->copiers * step(run) + 2 * HUGE) / PAGE;
}

static int set_up_copier(struct busy_run *run, unsigned int n, uint64_t start)
{
	static const struct mapping destinations[] = {
		[TRUTH_KIND_ANON] = { .backing = BACKED_ANON },
		[TRUTH_KIND_SHMEM] = { .backing = BACKED_SHARED_ANON, .shared = true },
		[TRUTH_KIND_HUGETLB] = { .backing = BACKED_ANON, .huge = true },
	};
	const struct mapping ordinary = { .backing = BACKED_ANON };
	struct busy_copier *copier = &run->copiers[n];
	uint64_t pages = run->options->pages;
	int err;

	copier->run = run;
	copier->owner = copier->handler = -1;
	copier->left = pages / run->options->copiers + (n < pages % run->options->copiers);
	copier->dst = start + 2 * n * step(run);
	copier->src = copier->dst + step(run);
	err = arena_map(&run->arena, copier->src, area_bytes(run) / PAGE, &ordinary);
	if (!err)
		err = arena_map(&run->arena, copier->dst, run->area,
				&destinations[run->options->kind]);
	return err ? err
		   : rig_register(run->uffd, copier->dst, area_bytes(run),
				  UFFDIO_REGISTER_MODE_MISSING);
}

static int map_copiers(struct busy_run *run)
{
	size_t size = run->options->copiers * sizeof(*run->copiers);
	void *copiers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (copiers == MAP_FAILED)
		return -errno;
	run->copiers = copiers;
	return 0;
}

static int set_up(struct busy_run *run)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	uint64_t start;
	unsigned int n;
	int err = map_copiers(run);

	if (!err && pipe(run->gate))
		err = -errno;
	if (err)
		return err;
	run->uffd = rig_uffd_open(0);
	if (run->uffd < 0)
		return run->uffd;
	err = arena_create(&run->arena, arena_pages(run), 1);
	start = (run->arena.start + HUGE - 1) & ~(HUGE - 1);
	for (n = 0; n < run->options->copiers && !err; n++)
		err = set_up_copier(run, n, start);
	run->scratch = start + 2 * n * step(run);
	return err ? err : arena_map(&run->arena, run->scratch, 1, &ordinary);
}

/* --- the run ---------------------------------------------------------------------------------- */

static void go(struct busy_run *run)
{
	if (run->options->wait)
		wait_for_go();
	run->elapsed_ns = now_ns();
	busy_open_gate(run);
}

/* This process copies and writes, or owns the memory of a handler that copies. 0 or -errno. */
static int copy_all(struct busy_run *run)
{
	int err = run->options->handler ? busy_start_handler(run) : busy_start_copiers(run);

	if (!err)
		err = busy_start_writer(run);
	if (err)
		return err;
	go(run);
	if (run->options->handler)
		err = busy_end_handler(run);
	else
		busy_end_copiers(run);
	run->elapsed_ns = now_ns() - run->elapsed_ns;
	busy_end_writer(run);
	return err ? err : run->writer_err;
}

/* --- what is certain -------------------------------------------------------------------------- */

/* Each copy must have succeeded. */
static int add_up(const struct busy_run *run, struct truth *truth)
{
	unsigned int n;

	for (n = 0; n < run->options->copiers; n++) {
		if (run->copiers[n].err)
			return run->copiers[n].err;
		copies_sum(&truth->copies, &run->copiers[n].copies);
	}
	return truth->copies.bytes == run->options->pages * run->page ? 0 : -EIO;
}

/* A writer can make any quiet window an unrelated one. */
static struct json_object *classes_json(const struct busy_options *options)
{
	struct json_object *classes = json_object_new_object();
	enum truth_class i;

	for (i = 0; i < NR_TRUTH_CLASSES; i++) {
		uint64_t windows = i == TRUTH_QUIET ? options->pages : 0;

		if (i > TRUTH_UNRELATED || !options->writer)
			json_object_object_add(classes, truth_class_name(i),
					       json_object_new_uint64(windows));
	}
	return classes;
}

static int report(const struct busy_run *run, const struct truth *truth)
{
	const struct busy_options *options = run->options;
	struct json_object *object = truth_head("busy", 0);
	struct json_object *windows = classes_json(options);
	struct json_object *kinds = json_object_new_object();
	double seconds = (double)run->elapsed_ns / 1e9;
	int err;

	json_object_object_add(windows, "total", json_object_new_uint64(options->pages));
	json_object_object_add(kinds, truth_kind_names[options->kind], classes_json(options));
	truth_put_copy(object, truth);
	json_object_object_add(object, "windows", windows);
	json_object_object_add(object, "by_kind", kinds);
	json_object_object_add(object, "external",
			       json_object_new_uint64(options->handler ? options->pages : 0));
	json_object_object_add(object, "anomalies", json_object_new_uint64(0));
	json_object_object_add(object, "writes", json_object_new_uint64(run->writes));
	json_object_object_add(object, "elapsed_s", json_object_new_double(seconds));
	err = print_json(object);
	json_object_put(object);
	return err;
}

/* --- the command ------------------------------------------------------------------------------ */

static void check_usage(const struct busy_options *options)
{
	if (options->kind == TRUTH_KIND_HUGETLB && options->pages_per_copy > 1)
		errx(EXIT_USAGE, "--kind hugetlb copies one page at a time");
	if (options->pages < options->copiers)
		errx(EXIT_USAGE, "each copier needs a page: --pages must be --copiers or more");
}

static int busy_main(const struct load *load, const void *values)
{
	static struct busy_run run = { .uffd = -1 };
	const struct busy_options *options = values;
	bool huge = options->kind == TRUTH_KIND_HUGETLB;
	struct truth truth = { 0 };
	int err;

	(void)load;
	check_usage(options);
	if (!may_use_uffd())
		return EXIT_FAILURE;
	run.options = options;
	run.page = huge ? HUGE : PAGE;
	run.area = huge ? AREA_HUGE_PAGES : AREA_PAGES;
	err = set_up(&run);
	if (err && huge) {
		warnx("no huge pages (vm.nr_hugepages): %s", strerror(-err));
		return EXIT_LACKS;
	}
	if (!err)
		err = copy_all(&run);
	if (!err)
		err = add_up(&run, &truth);
	if (err)
		warnx("%s", strerror(-err));
	if (!err && report(&run, &truth))
		err = -EIO;
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct setting settings[] = {
	NUMBER_SETTING(struct busy_options, copiers, "copiers", "N", 1, 256, "Copier threads"),
	NUMBER_SETTING(struct busy_options, pages, "pages", "M", 1, 1 << 30,
		       "Pages to copy, by all copiers together: the number of windows"),
	NUMBER_SETTING(struct busy_options, pages_per_copy, "pages-per-copy", "K", 1, AREA_PAGES,
		       "Pages of each UFFDIO_COPY; 1 with hugetlb"),
	WORD_SETTING(struct busy_options, kind, "kind", "KIND", truth_kind_names,
		     "Destination: anon, shmem or hugetlb, whose pages have 2 MiB"),
	FLAG_SETTING(struct busy_options, writer, "writer",
		     "A thread calls mprotect() elsewhere in the mm, as fast as it can"),
	FLAG_SETTING(struct busy_options, handler, "handler",
		     "Another process than the one that owns the destination copies"),
	WAIT(struct busy_options),
	{ 0 },
};

static const struct busy_options defaults = { .copiers = 8, .pages = 20000, .pages_per_copy = 1 };

const struct load busy_load = {
	.name = "busy",
	.doc = "Many copiers at once. Each page comes from an untouched page, so it has exactly "
	       "one window. All copies must succeed. Without --writer all windows are quiet, with "
	       "it quiet or unrelated.\v"
	       "Exit: 0 all was copied, 1 not (named on stderr), 64 usage, 77 no huge pages for "
	       "--kind hugetlb.",
	.settings = { settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = busy_main,
};
