// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload random`: random windows with random operations in them, judged by a model of the
// address space.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "known/options.h"
#include "known/random/random.h"
#include "steps/process.h"

#define SLOT_STRIDE 16 /* pages from one slot's place to the next */
#define AT_ONCE_LIMIT 64

const char *const random_layouts[NR_LAYOUTS] = { "b", "b", "b", "mb", "bm", "nbn", "bb", "bmm" };

/* --- messages and chance ---------------------------------------------------------------------- */

void random_describe(const struct random *random, const struct slot *slot)
{
	size_t i;

	warnx("  seed %llu, window %llu: place kind %d, layout %s from page %d, held page %d%s",
	      (unsigned long long)random->options->seed, (unsigned long long)random->truth.windows,
	      (int)slot->place.kind, random_layouts[slot->layout], slot->first,
	      slot->first + slot->at, slot->external ? ", external" : "");
	for (i = 0; i < slot->nr_steps; i++)
		warnx("  %s from %d, %d pages, argument %u, shift %d",
		      step_name(slot->steps[i].kind), slot->steps[i].from, slot->steps[i].pages,
		      slot->steps[i].arg, slot->steps[i].shift);
}

int random_fail(struct random *random, const struct slot *slot, const char *what, int err)
{
	warnx("%s: %s", what, strerror(-err));
	random_describe(random, slot);
	return err;
}

int random_one_of(struct random *random, const int *values, uint32_t nr)
{
	return values[prng_below(&random->prng, nr)];
}

/* --- set-up ----------------------------------------------------------------------------------- */

static int create_slot(struct random *random, unsigned int n)
{
	struct slot *slot = &random->slots[n];
	int i, err = 0;

	slot->external = n == random->nr_slots - 1;
	slot->dirty = true;
	slot->place = (struct place) {
		.start = random->ground.arena.start + (GROUND_FRONT + n * SLOT_STRIDE) * PAGE,
		.pages = MODEL_PLACE,
		.offset = n * MODEL_FILE_PAGES + MODEL_OFFSET,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
		.away = random->ground.hole + 32 * PAGE,
		.uffd = rig_uffd_open(0),
		.other_uffd = rig_uffd_open(0),
	};
	if (slot->place.uffd < 0 || slot->place.other_uffd < 0)
		return slot->place.uffd < 0 ? slot->place.uffd : slot->place.other_uffd;
	for (i = 0; i < NR_LAYOUTS && !slot->external && !err; i++)
		err = rig_create(&slot->rigs[i], random_layouts[i]);
	return err;
}

static void destroy_slot(struct slot *slot)
{
	int i;

	for (i = 0; i < NR_LAYOUTS; i++)
		rig_destroy(slot->rigs[i]);
	if (slot->place.uffd > 0)
		close(slot->place.uffd);
	if (slot->place.other_uffd > 0)
		close(slot->place.other_uffd);
}

static void probe(struct random *random)
{
	const struct step nohugepage = { .kind = STEP_ADVISE, .arg = MADV_NOHUGEPAGE };
	const struct step bind = { .kind = STEP_BIND, .arg = MPOL_BIND };
	const struct step wp = {
		.kind = STEP_REGISTER,
		.arg = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};

	random->can_nohugepage = !step_lacks(&random->ground, PLACE_ANON, 0, &nohugepage);
	random->can_bind = !step_lacks(&random->ground, PLACE_ANON, 0, &bind);
	random->can_wp = !step_lacks(&random->ground, PLACE_ANON, 0, &wp) &&
			 !step_lacks(&random->ground, PLACE_SHMEM, 0, &wp);
}

static int set_up(struct random *random)
{
	unsigned int n;
	int err;

	random->nr_slots = random->options->at_once + 1;
	random->slots = calloc(random->nr_slots, sizeof(*random->slots));
	if (!random->slots)
		return -ENOMEM;
	err = ground_create(&random->ground, random->nr_slots * SLOT_STRIDE,
			    random->nr_slots * MODEL_FILE_PAGES);
	if (!err)
		err = query_open(&random->query, &random->ground.arena);
	if (!err)
		err = handler_start(&random->ground.handler, -1);
	for (n = 0; n < random->nr_slots && !err; n++)
		err = create_slot(random, n);
	if (!err)
		probe(random);
	return err;
}

static void tear_down(struct random *random)
{
	unsigned int n;

	for (n = 0; random->slots && n < random->nr_slots; n++)
		destroy_slot(&random->slots[n]);
	free(random->slots);
	query_close(&random->query);
	ground_destroy(&random->ground);
}

/* --- the run ---------------------------------------------------------------------------------- */

static struct slot *choose_slot(struct random *random, bool busy)
{
	unsigned int n = prng_below(&random->prng, random->nr_slots);

	while (random->slots[n].busy != busy)
		n = (n + 1) % random->nr_slots;
	return &random->slots[n];
}

/* Half of the time one window alone: with others open it would hardly ever be quiet. */
static void choose_target(struct random *random)
{
	if (random->target && prng_below(&random->prng, 64))
		return;
	random->target = 1;
	if (prng_below(&random->prng, 2))
		random->target += prng_below(&random->prng, random->options->at_once);
}

static int turn(struct random *random, bool last)
{
	struct slot *slot;

	choose_target(random);
	if (!last && random->open < random->target &&
	    (!random->open || prng_below(&random->prng, 2)))
		return random_begin_copy(random, choose_slot(random, false));
	slot = choose_slot(random, true);
	if (!slot->operations)
		return random_close_window(random, slot);
	slot->operations--;
	return random_operate(random, slot);
}

static int run(struct random *random)
{
	int err = 0;
	bool last;

	for (;;) {
		last = random->truth.windows + random->open >= random->options->windows;
		if (err || (last && !random->open))
			return err;
		err = turn(random, last);
	}
}

static int report(const struct random *random)
{
	struct json_object *object = truth_head("random", random->options->seed);
	int err;

	json_object_object_add(object, "at_once", json_object_new_int64(random->options->at_once));
	truth_put_copy(object, &random->truth);
	truth_put_windows(object, &random->truth);
	json_object_object_add(object, "model_verified",
			       json_object_new_boolean(random->query.fd >= 0));
	json_object_object_add(object, "failures", json_object_new_uint64(random->failures));
	err = print_json(object);
	json_object_put(object);
	return err;
}

static int random_main(const struct load *load, const void *values)
{
	const struct random_options *options = values;
	static struct random random;
	int err;

	(void)load;
	if (!may_use_uffd())
		return EXIT_FAILURE;
	random.options = options;
	random.prng.state = options->seed;
	random.truth.kernel_check = options->kernel_check;
	random.truth.locks = options->locks;
	err = set_up(&random);
	if (err) {
		warnx("set-up: %s", strerror(-err));
	} else {
		if (options->wait)
			wait_for_go();
		err = run(&random);
	}
	if (!err && report(&random))
		err = -EIO;
	tear_down(&random);
	return err || random.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct setting settings[] = {
	NUMBER_SETTING(struct random_options, windows, "windows", "N", 1, 1000000000,
		       "Open at least N windows"),
	SEED(struct random_options),
	NUMBER_SETTING(struct random_options, at_once, "at-once", "K", 1, AT_ONCE_LIMIT,
		       "Up to K windows open at a time"),
	WAIT(struct random_options),
	KERNEL_CHECK(struct random_options),
	LOCKS(struct random_options),
	{ 0 },
};

static const struct random_options defaults = { .windows = 10000,
						.seed = DEFAULT_SEED,
						.at_once = 8 };

const struct load random_load = {
	.name = "random",
	.doc = "Random windows on random destinations, with zero to four random operations in "
	       "each. A model of the address space computes what each window is, and what the "
	       "kernel must answer.\v"
	       "Exit: 0 all was as expected, 1 the kernel did otherwise (described on stderr), "
	       "64 usage.",
	.settings = { settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = random_main,
};
