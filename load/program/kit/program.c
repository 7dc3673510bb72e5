// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A load that resembles a program: passes until its time is up, and its JSON line.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "program/kit/program.h"
#include "program/kit/result.h"
#include "steps/process.h"

static bool once_more(const struct run *run)
{
	uint64_t limit = run->params.passes;

	if (!limit)
		limit = run->params.duration_ms ? UINT64_MAX : 1;
	return !run_stopped(run) && run->passes < limit;
}

static int do_pass(struct run *run, int (*pass)(struct run *run))
{
	int err = run_prepare_pass(run);

	if (err)
		return err;
	err = pass(run);
	close(run->over_fd);
	run->passes++;
	return err;
}

int program_run(const struct load *load, const void *params, int (*pass)(struct run *run))
{
	static struct run run;
	int err = 0;

	run = (struct run) { .name = load->name, .params = *(const struct params *)params };
	if (!may_use_uffd())
		return EXIT_FAILURE;
	if (run_init(&run))
		errx(EXIT_FAILURE, "%s: no memory", run.name);
	if (run.params.wait)
		wait_for_go();
	if (run_start_clock(&run))
		errx(EXIT_FAILURE, "%s: no thread", run.name);
	while (!err && once_more(&run))
		err = do_pass(&run, pass);
	run_stop_clock(&run);
	if (err == -ENOTSUP)
		return EXIT_LACKS;
	if (result_print(&run, load->settings))
		err = -EIO;
	return err || run_failed(&run) ? EXIT_FAILURE : EXIT_SUCCESS;
}
