// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload writers`: each way to write to an mm, once in a window that is held open, and who it must be said to be.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "known/writing.h"

/* --- one run ------------------------------------------------------------------------------------------------ */

static int begin_run(struct load *load)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	int err;

	load->place.uffd = rig_uffd_open(0);
	load->place.other_uffd = rig_uffd_open(0);
	if (load->place.uffd < 0 || load->place.other_uffd < 0)
		return -EMFILE;
	err = arena_map(&load->ground.arena, load->area, AREA_PAGES, &ordinary);
	if (err)
		return err;
	memset((void *)load->area, 1, AREA_PAGES * PAGE);
	err = place_set_up(&load->ground.arena, &load->place);
	return err ? err : ground_make_stack(&load->ground);
}

static int end_run(struct load *load)
{
	int err;

	close(load->place.uffd);
	close(load->place.other_uffd);
	err = arena_clear(&load->ground.arena, load->place.start - PAGE, PLACE_PAGES + 2);
	return err ? err : arena_clear(&load->ground.arena, load->ground.hole, HOLE_PAGES);
}

/* In a window, or, to see whether it can be done here at all, without one. */
static int run_operation(struct load *load, const struct operation *op, bool window, int *copy_err)
{
	struct rig_copy copy = { .dst = load->dst, .len = PAGE };
	int err = begin_run(load);

	copy.uffd = load->place.uffd;
	if (!err && op->before)
		err = op->before(load);
	if (!err && window) {
		err = rig_start(load->rig, &copy);
		err = err == 1 ? 0 : err ? err : -EPROTO;
	}
	if (!err)
		err = op->run(load);
	if (!err && window)
		err = rig_go_on(load->rig, RIG_FILL);
	if (!err && window)
		*copy_err = rig_result(load->rig).err;
	if (!err && op->after)
		err = op->after(load);
	return err ? err : end_run(load);
}

/* --- what this kernel is ------------------------------------------------------------------------------------ */

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

/* --- the command -------------------------------------------------------------------------------------------- */

/* Each is tried once without a window: what this kernel does not have is not in the truth, and said. */
static void try_all(struct load *load, struct writers_truth *t)
{
	size_t i;
	int unused;

	t->has_vma_locks = has_function("lock_vma_under_rcu");
	for (i = 0; i < nr_operations; i++)
		t->silent[i] = operations[i].needs && !has_function(operations[i].needs);
	for (i = 0; i < nr_operations; i++) {
		int err = run_operation(load, &operations[i], false, &unused);

		if (!err)
			continue;
		t->lacks[i] = -err;
		warnx("skipped %s: %s", operations[i].name, strerror(-err));
		close(load->place.uffd);
		close(load->place.other_uffd);
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	}
}

static int run_all(struct load *load, struct writers_truth *t)
{
	uint64_t run;
	size_t i;
	int err, copy_err;

	for (run = 0; run < load->options->runs; run++) {
		for (i = 0; i < nr_operations; i++) {
			if (t->lacks[i])
				continue;
			err = run_operation(load, &operations[i], true, &copy_err);
			if (err) {
				warnx("%s: %s", operations[i].name, strerror(-err));
				return err;
			}
			writing_judge(t, &operations[i], copy_err);
		}
	}
	return 0;
}

static int set_up(struct load *load)
{
	int err = other_start(&load->other);

	if (!err)
		err = ground_create(&load->ground, 2 * PLACE_PAGES, FILE_PAGES);
	if (!err)
		err = rig_create(&load->rig, "b");
	if (err)
		return err;
	set_up_collapse(load);
	load->area = load->ground.hole + 8 * PAGE;
	load->dst = load->ground.arena.start + GROUND_FRONT * PAGE;
	load->place = (struct place) {
		.kind = PLACE_ANON,
		.start = load->dst,
		.pages = PLACE_PAGES,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
		.uffd = -1,
		.other_uffd = -1,
	};
	return 0;
}

int writers_main(const struct writers_options *options)
{
	static struct load load;
	static struct writers_truth truth;
	int err;

	if (!may_use_uffd())
		return EXIT_FAILURE;
	load.options = options;
	err = set_up(&load);
	if (err) {
		warnx("set-up: %s", strerror(-err));
		return EXIT_FAILURE;
	}
	try_all(&load, &truth);
	if (options->wait)
		wait_for_go();
	err = run_all(&load, &truth);
	restore_settings(&load);
	if (!err && writing_report(&load, &truth))
		err = -EIO;
	other_stop(&load.other);
	rig_destroy(load.rig);
	ground_destroy(&load.ground);
	return err || truth.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
