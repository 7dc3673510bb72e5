// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload writers`: each way to write to an mm, once in a window that is held open.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "known/options.h"
#include "known/writers/writers.h"
#include "steps/process.h"

const struct operation *operations[MAX_OPERATIONS];
size_t nr_operations;

static void list_operations(void)
{
	static const struct operation *const tables[] = {
		map_operations,	 advise_operations,	resize_operations,  task_operations,
		uffd_operations, other_call_operations, outside_operations,
	};
	const struct operation *op;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (op = tables[i]; op->name && nr_operations < MAX_OPERATIONS; op++)
			operations[nr_operations++] = op;
}

/* --- one run ---------------------------------------------------------------------------------- */

static int begin_run(struct writers *w)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	int err;

	w->place.uffd = rig_uffd_open(0);
	w->place.other_uffd = rig_uffd_open(0);
	if (w->place.uffd < 0 || w->place.other_uffd < 0)
		return -EMFILE;
	err = arena_map(&w->ground.arena, w->area, AREA_PAGES, &ordinary);
	if (err)
		return err;
	memset((void *)w->area, 1, AREA_PAGES * PAGE);
	err = place_set_up(&w->ground.arena, &w->place);
	return err ? err : ground_make_stack(&w->ground);
}

static int end_run(struct writers *w)
{
	int err;

	close(w->place.uffd);
	close(w->place.other_uffd);
	err = arena_clear(&w->ground.arena, w->place.start - PAGE, PLACE_PAGES + 2);
	return err ? err : arena_clear(&w->ground.arena, w->ground.hole, HOLE_PAGES);
}

/* In a window; or without one, to see whether this machine can do it. */
static int run_operation(struct writers *w, const struct operation *op, bool window, int *copy_err)
{
	struct rig_copy copy = { .dst = w->dst, .len = PAGE };
	int err = begin_run(w);

	copy.uffd = w->place.uffd;
	if (!err && op->before)
		err = op->before(w);
	if (!err && window) {
		err = rig_start(w->rig, &copy);
		err = err == 1 ? 0 : err ? err : -EPROTO;
	}
	if (!err)
		err = op->run(w);
	if (!err && window)
		err = rig_go_on(w->rig, RIG_FILL);
	if (!err && window)
		*copy_err = rig_result(w->rig).err;
	if (!err && op->after)
		err = op->after(w);
	return err ? err : end_run(w);
}

/* --- what this kernel is ---------------------------------------------------------------------- */

static bool has_function(const char *name)
{
	char line[256], symbol[128];
	FILE *f = fopen("/proc/kallsyms", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*s %127s", symbol) == 1 && !strcmp(symbol, name);
	if (f)
		fclose(f);
	return found;
}

/* --- the command ------------------------------------------------------------------------------ */

/* Try each once without a window: the truth lists as skipped what this kernel lacks. */
static void try_all(struct writers *w, struct writers_truth *t)
{
	size_t i;
	int unused;

	t->has_vma_locks = has_function("lock_vma_under_rcu");
	for (i = 0; i < nr_operations; i++)
		t->silent[i] = operations[i]->needs && !has_function(operations[i]->needs);
	for (i = 0; i < nr_operations; i++) {
		int err = run_operation(w, operations[i], false, &unused);

		if (!err)
			continue;
		t->lacks[i] = -err;
		warnx("skipped %s: %s", operations[i]->name, strerror(-err));
		close(w->place.uffd);
		close(w->place.other_uffd);
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	}
}

static int run_all(struct writers *w, struct writers_truth *t)
{
	uint64_t run;
	size_t i;
	int err, copy_err;

	for (run = 0; run < w->options->runs; run++) {
		for (i = 0; i < nr_operations; i++) {
			if (t->lacks[i])
				continue;
			err = run_operation(w, operations[i], true, &copy_err);
			if (err) {
				warnx("%s: %s", operations[i]->name, strerror(-err));
				return err;
			}
			writers_judge(t, i, copy_err);
		}
	}
	return 0;
}

static int set_up(struct writers *w)
{
	int err = other_start(&w->other);

	if (!err)
		err = ground_create(&w->ground, 2 * PLACE_PAGES, FILE_PAGES);
	if (!err)
		err = rig_create(&w->rig, "b");
	if (err)
		return err;
	set_up_collapse(w);
	w->area = w->ground.hole + 8 * PAGE;
	w->dst = w->ground.arena.start + GROUND_FRONT * PAGE;
	w->place = (struct place) {
		.kind = PLACE_ANON,
		.start = w->dst,
		.pages = PLACE_PAGES,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
		.uffd = -1,
		.other_uffd = -1,
	};
	return 0;
}

static int writers_main(const struct load *load, const void *values)
{
	static struct writers w;
	static struct writers_truth truth;
	int err;

	(void)load;
	list_operations();
	if (!may_use_uffd())
		return EXIT_FAILURE;
	w.options = values;
	err = set_up(&w);
	if (err) {
		warnx("set-up: %s", strerror(-err));
		return EXIT_FAILURE;
	}
	try_all(&w, &truth);
	if (w.options->wait)
		wait_for_go();
	err = run_all(&w, &truth);
	restore_settings(&w);
	if (!err && writers_report(&w, &truth))
		err = -EIO;
	other_stop(&w.other);
	rig_destroy(w.rig);
	ground_destroy(&w.ground);
	return err || truth.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct setting settings[] = { RUNS(struct writers_options, 10000),
					   WAIT(struct writers_options),
					   { 0 } };
static const struct writers_options defaults = { .runs = 3 };

const struct load writers_load = {
	.name = "writers",
	.doc = "Each way to write to an mm once in a window that is held open: by this process, "
	       "by another one, by the kernel. The writers that a tool must name go to stdout "
	       "as one JSON object.\v"
	       "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 "
	       "usage.",
	.settings = { settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = writers_main,
};
