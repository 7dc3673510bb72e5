// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What `uffdload random` does in a window: random operations, each applied to the model too.
#define _GNU_SOURCE
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>

#include "known/random/random.h"

static void choose_range(struct random *random, const struct slot *slot, struct step *step)
{
	switch (prng_below(&random->prng, 3)) {
	case 0:
		step->from = 0;
		step->pages = MODEL_PLACE;
		break;
	case 1:
		step->from = slot->first + slot->at;
		step->pages = 1;
		break;
	default:
		step->from = (int)prng_below(&random->prng, MODEL_PAGES) - MODEL_FRONT;
		step->pages =
			1 + (int)prng_below(&random->prng,
					    (uint32_t)(MODEL_PAGES - MODEL_FRONT - step->from));
		break;
	}
}

static int do_step(struct random *random, struct slot *slot, const struct step *step)
{
	int err = step_run(&random->ground, &slot->place, step);

	if (slot->nr_steps < STEPS_MAX)
		slot->steps[slot->nr_steps++] = *step;
	return err ? random_fail(random, slot, step_name(step->kind), err) : 0;
}

/* Skips steps that the model does not allow. */
static int change(struct random *random, struct slot *slot, const struct step *step)
{
	int err;

	if (!model_allows(&slot->model, step))
		return 0;
	err = do_step(random, slot, step);
	model_apply(&slot->model, step);
	slot->dirty = true;
	random->writes++;
	return err;
}

static int register_range(struct random *random, struct slot *slot, const struct step *range)
{
	struct step step = { .kind = STEP_REGISTER, .from = range->from, .pages = range->pages };

	if (!prng_below(&random->prng, 6))
		step.kind = STEP_REGISTER_OTHER;
	if (random->can_wp && !prng_below(&random->prng, 8))
		step.arg = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP;
	return change(random, slot, &step);
}

/* Usually register again: otherwise most windows would be gone. */
static int maybe_register(struct random *random, struct slot *slot, const struct step *range)
{
	return prng_below(&random->prng, 8) ? register_range(random, slot, range) : 0;
}

static int remap(struct random *random, struct slot *slot, struct step *step)
{
	int err;

	step->kind = STEP_MAP;
	step->arg = (unsigned int)ONE_OF(random, AS_BEFORE, AS_BEFORE, AS_BEFORE, AS_ANON,
					 AS_SHARED_ANON, AS_FILE_SHARED, AS_FILE_PRIVATE, AS_AGAIN,
					 AS_OTHER);
	step->shift = ONE_OF(random, 0, 0, 0, -2, 2, 8);
	err = change(random, slot, step);
	return err ? err : maybe_register(random, slot, step);
}

/* The same file mapped some pages further on, at the same vm_pgoff, unseen by the snapshot. */
static int shift_file(struct random *random, struct slot *slot)
{
	int by = ONE_OF(random, 1, 2);
	struct step step = {
		.kind = STEP_MAP,
		.from = by,
		.pages = MODEL_PLACE,
		.arg = AS_BEFORE,
		.shift = -by,
	};
	int err = change(random, slot, &step);

	return err ? err : maybe_register(random, slot, &step);
}

/* Away and back at once, so that the model needs one place only. */
static int move_there_and_back(struct random *random, struct slot *slot, struct step *step)
{
	struct step back = *step;
	int err;

	step->kind = STEP_MOVE_AWAY;
	back.kind = STEP_MOVE_BACK;
	if (!model_allows(&slot->model, step))
		return 0;
	err = change(random, slot, step);
	if (!err)
		err = do_step(random, slot, &back);
	return err ? err : maybe_register(random, slot, step);
}

static int unregister(struct random *random, struct slot *slot, struct step *step)
{
	int err;

	step->kind = STEP_UNREGISTER;
	err = change(random, slot, step);
	return err ? err : maybe_register(random, slot, step);
}

static int fork_once(struct random *random, struct slot *slot)
{
	const struct step step = { .kind = STEP_FORK };
	int err = do_step(random, slot, &step);
	unsigned int n;

	for (n = 0; n < random->nr_slots; n++)
		model_fork(&random->slots[n].model);
	random->writes++;
	return err;
}

static int elsewhere(struct random *random, struct slot *slot)
{
	struct step step = {
		.kind = STEP_ELSEWHERE,
		.arg = (unsigned int)ONE_OF(random, ELSEWHERE_DONTNEED, ELSEWHERE_TOUCH,
					    ELSEWHERE_MAPS, ELSEWHERE_MMAP, ELSEWHERE_PROTECT,
					    ELSEWHERE_PROTECT_FAILS, ELSEWHERE_UNMAP_NOTHING,
					    ELSEWHERE_MREMAP, ELSEWHERE_LOCK, ELSEWHERE_BRK,
					    ELSEWHERE_THREAD, ELSEWHERE_CLOSE_UFFD),
	};
	int err = do_step(random, slot, &step);

	random->writes += step.arg >= ELSEWHERE_MMAP;
	return err;
}

/* In the handler's mm: windows of this mm must not see it. */
static int handler_writes(struct random *random, struct slot *slot)
{
	const struct step step = { .kind = STEP_HANDLER_WRITE };

	return do_step(random, slot, &step);
}

int random_operate(struct random *random, struct slot *slot)
{
	struct step step = { .kind = STEP_NONE };

	choose_range(random, slot, &step);
	switch (prng_below(&random->prng, 20)) {
	case 0:
	case 1:
		step.kind = STEP_PROTECT;
		step.arg =
			(unsigned int)ONE_OF(random, PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE);
		return change(random, slot, &step);
	case 2:
		step.kind = STEP_ADVISE;
		step.arg =
			(unsigned int)ONE_OF(random, MADV_DONTFORK, MADV_DOFORK, MADV_NOHUGEPAGE);
		if (step.arg == MADV_NOHUGEPAGE && !random->can_nohugepage)
			return 0;
		return change(random, slot, &step);
	case 3:
		step.kind = prng_below(&random->prng, 2) ? STEP_LOCK : STEP_UNLOCK;
		return change(random, slot, &step);
	case 4:
		step.kind = STEP_BIND;
		step.arg = (unsigned int)ONE_OF(random, MPOL_BIND, MPOL_DEFAULT);
		return random->can_bind ? change(random, slot, &step) : 0;
	case 5:
		step.kind = STEP_UNMAP;
		return change(random, slot, &step);
	case 6:
	case 7:
	case 8:
		return remap(random, slot, &step);
	case 9:
		return shift_file(random, slot);
	case 10:
		return move_there_and_back(random, slot, &step);
	case 11:
	case 12:
		return unregister(random, slot, &step);
	case 13:
		return register_range(random, slot, &step);
	case 14:
		return fork_once(random, slot);
	case 15:
		return handler_writes(random, slot);
	default:
		return elsewhere(random, slot);
	}
}
