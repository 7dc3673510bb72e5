// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload exact`: named windows in a shuffled order, each held open while its one thing happens.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "known/exact/exact.h"
#include "steps/cpu.h"
#include "steps/prng.h"
#include "steps/process.h"

static int set_up(struct exact *exact)
{
	size_t i;
	int err = ground_create(&exact->ground, AREA_PAGES, FILE_PAGES);
	bool external = false;

	for (i = 0; i < nr_scenarios && !err; i++) {
		if (!exact->chosen[i])
			continue;
		exact->lacks[i] =
			scenario_lacks(&exact->ground, &scenarios[i], exact->options->locks);
		if (exact->lacks[i])
			continue;
		external |= scenarios[i].external;
		err = rigs_add(&exact->rigs, &scenarios[i]);
	}
	if (!err && external)
		err = handler_start(&exact->ground.handler, cpu_second());
	return err;
}

/* After a failure the hand may still be stuck: closing the userfaultfd releases it. */
static void tear_down(struct exact *exact)
{
	exact_close_uffds(exact);
	rigs_destroy(&exact->rigs);
	ground_destroy(&exact->ground);
}

/* Indices of the table, each as often as it runs, shuffled by the seed. */
static uint16_t *shuffled(const struct exact *exact, size_t *nr)
{
	struct prng prng = { exact->options->seed };
	uint16_t *order = calloc(nr_scenarios * exact->options->runs + 1, sizeof(*order));
	size_t i, j, n = 0;
	uint16_t swap;

	if (!order)
		return NULL;
	for (i = 0; i < nr_scenarios; i++)
		for (j = 0; j < exact->options->runs && exact->chosen[i] && !exact->lacks[i]; j++)
			order[n++] = (uint16_t)i;
	for (i = n; i > 1; i--) {
		j = prng_below(&prng, (uint32_t)i);
		swap = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swap;
	}
	*nr = n;
	return order;
}

static int run_all(struct exact *exact)
{
	size_t i, nr;
	uint16_t *order = shuffled(exact, &nr);
	int err = 0;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < nr && !err; i++) {
		err = exact_run(exact, &scenarios[order[i]]);
		if (err)
			warnx("%s: %s", scenarios[order[i]].name, strerror(-err));
	}
	free(order);
	return err;
}

static int run(struct exact *exact)
{
	int err = set_up(exact);

	if (err) {
		warnx("set-up: %s", strerror(-err));
	} else {
		if (exact->options->wait)
			wait_for_go();
		err = run_all(exact);
	}
	if (!err && exact_report(exact))
		err = -EIO;
	tear_down(exact);
	return err || exact->failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int exact_main(const struct load *load, const void *values)
{
	static struct exact exact = { .uffd = -1, .other_uffd = -1 };
	const struct exact_options *options = values;
	int status = EXIT_FAILURE;

	(void)load;
	if (options->list)
		return exact_list(options->json) ? EXIT_FAILURE : EXIT_SUCCESS;
	exact.options = options;
	exact.truth.kernel_check = options->kernel_check;
	exact.truth.locks = options->locks;
	exact.chosen = calloc(nr_scenarios, sizeof(*exact.chosen));
	exact.lacks = calloc(nr_scenarios, sizeof(*exact.lacks));
	if (!may_use_uffd())
		status = EXIT_FAILURE;
	else if (!exact.chosen || !exact.lacks)
		warnx("out of memory");
	else if (exact_choose(exact.chosen, options->only))
		status = EXIT_USAGE;
	else
		status = run(&exact);
	free(exact.chosen);
	free(exact.lacks);
	return status;
}

static const struct setting settings[] = {
	RUNS(struct exact_options, 10000),
	SEED(struct exact_options),
	TEXT_SETTING(struct exact_options, only, "only", "NAME,...", "Only these scenarios"),
	WAIT(struct exact_options),
	KERNEL_CHECK(struct exact_options),
	LOCKS(struct exact_options),
	FLAG_SETTING(struct exact_options, list, "list",
		     "List the scenarios and their classes, and exit"),
	FLAG_SETTING(struct exact_options, json, "json",
		     "With --list: as JSON, with all that is expected of them"),
	{ 0 },
};

static const struct exact_options defaults = { .runs = 5, .seed = DEFAULT_SEED };

const struct load exact_load = {
	.name = "exact",
	.doc = "Named windows in a shuffled order; each is held open while one thing happens. "
	       "The exact truth goes to stdout as one JSON object.\v"
	       "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 "
	       "usage.",
	.settings = { settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = exact_main,
};
