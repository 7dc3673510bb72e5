// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The copies of `uffdload random`: a destination, the windows of a copy to it, and its end, judged
// by the model.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "known/expect.h"
#include "known/random/random.h"

#define OPERATIONS_MAX 4 /* in one window */

/* --- a slot's mapping ------------------------------------------------------------------------- */

static int empty_slot_files(const struct random *random, const struct slot *slot)
{
	return arena_empty_files(&random->ground.arena, slot->place.offset - MODEL_OFFSET,
				 MODEL_FILE_PAGES);
}

/* Map it anew, perhaps as another kind. The windows that are open now see that as a write. */
static int rebuild(struct random *random, struct slot *slot)
{
	int err = arena_clear(&random->ground.arena, place_page(&slot->place, -MODEL_FRONT),
			      MODEL_PAGES);

	slot->place.kind = prng_below(&random->prng, PLACE_HUGE);
	if (!err)
		err = empty_slot_files(random, slot);
	if (!err)
		err = place_set_up(&random->ground.arena, &slot->place);
	random->writes++;
	slot->dirty = false;
	model_reset(&slot->model, &slot->place);
	return err;
}

/* Remove only the pages: no write section. */
static int empty(struct random *random, struct slot *slot)
{
	if (madvise((void *)slot->place.start, MODEL_PLACE * PAGE, MADV_DONTNEED))
		return -errno;
	memset(slot->model.filled, 0, sizeof(slot->model.filled));
	return empty_slot_files(random, slot);
}

/* The pages of a shared anonymous mapping go only with the mapping. */
static int refresh(struct random *random, struct slot *slot)
{
	bool anew = slot->dirty || slot->place.kind == PLACE_SHARED_ANON ||
		    !prng_below(&random->prng, 4);

	return anew ? rebuild(random, slot) : empty(random, slot);
}

/* --- copies ----------------------------------------------------------------------------------- */

static const char *layout_of(const struct slot *slot)
{
	return random_layouts[slot->layout];
}

static int start(struct random *random, struct slot *slot)
{
	struct rig_copy copy = {
		.uffd = slot->place.uffd,
		.dst = place_page(&slot->place, slot->first),
		.len = strlen(layout_of(slot)) * PAGE,
	};
	struct rig_result unused;
	int err;

	if (!slot->external)
		return rig_start(slot->rigs[slot->layout], &copy);
	err = handler_begin(&random->ground.handler, layout_of(slot), &copy);
	return err ? err : handler_wait(&random->ground.handler, true, &unused);
}

static int go_on(struct random *random, struct slot *slot, enum rig_source how,
		 struct rig_result *result)
{
	int status;

	if (!slot->external) {
		status = rig_go_on(slot->rigs[slot->layout], how);
		*result = rig_result(slot->rigs[slot->layout]);
		return status;
	}
	status = handler_resolve(&random->ground.handler, how);
	return status ? status : handler_wait(&random->ground.handler, true, result);
}

static void add_quiet(struct random *random, const struct slot *slot)
{
	struct truth_window quiet = {
		.kind = slot->model.pages[slot->first + MODEL_FRONT].vma.file ? TRUTH_KIND_SHMEM
									      : TRUTH_KIND_ANON,
		.class = TRUTH_QUIET,
		.external = slot->external,
	};

	truth_add_window(&random->truth, &quiet);
}

static void open_window(struct random *random, struct slot *slot)
{
	model_open(&slot->model, slot->first + slot->at);
	slot->writes = random->writes;
	slot->operations = prng_below(&random->prng, OPERATIONS_MAX + 1);
}

/*
 * Copy pages from the current one on to the next held one or the end: 0, or the errno that stops
 * the copy. The mm does not change meanwhile.
 */
static int copy_pages(struct random *random, struct slot *slot)
{
	const char *layout = layout_of(slot);
	int err = 0;

	for (; layout[slot->at] && layout[slot->at] != 'b' && !err; slot->at++) {
		if (layout[slot->at] == 'n')
			add_quiet(random, slot);
		err = model_copy(&slot->model, slot->first + slot->at);
		if (err)
			break;
	}
	return err;
}

int random_begin_copy(struct random *random, struct slot *slot)
{
	int err = refresh(random, slot);
	int status;

	if (err)
		return random_fail(random, slot, "a new destination", err);
	slot->layout = (int)prng_below(&random->prng, NR_LAYOUTS);
	slot->first = (int)prng_below(&random->prng,
				      (uint32_t)(MODEL_PLACE - strlen(layout_of(slot)) + 1));
	slot->at = 0;
	slot->nr_steps = 0;
	status = start(random, slot);
	if (status != 1)
		return random_fail(random, slot, "no window opened", status < 0 ? status : -EPROTO);
	err = copy_pages(random, slot);
	if (err)
		return random_fail(random, slot, "the model of an empty destination", -err);
	open_window(random, slot);
	slot->busy = true;
	random->open++;
	return 0;
}

/* --- ends ------------------------------------------------------------------------------------- */

/* End the held page's window: 0 when the page is copied, else the errno that ends the copy. */
static int end_window(struct random *random, struct slot *slot, enum rig_source how)
{
	struct truth_window window = {
		.kind = slot->model.before.vma.file ? TRUTH_KIND_SHMEM : TRUTH_KIND_ANON,
		.class = TRUTH_ABORTED,
		.external = slot->external,
		.seq_moved = random->writes != slot->writes,
	};
	int err = EFAULT;

	if (how == RIG_FILL) {
		err = model_retake(&slot->model, slot->first, (int)strlen(layout_of(slot)),
				   &window);
		if (!err)
			model_class(&slot->model, &window);
	}
	truth_add_window(&random->truth, &window);
	if (err)
		return err;
	if (truth_kernel_refuses(random->options->kernel_check, &window))
		return EAGAIN;
	return model_copy(&slot->model, slot->first + slot->at);
}

static struct rig_result result_of(const struct slot *slot, int err)
{
	int64_t bytes = slot->at * (int64_t)PAGE;

	if (err && !bytes)
		return (struct rig_result) { .err = err, .copied = -err };
	return (struct rig_result) { .err = err ? EAGAIN : 0, .copied = bytes };
}

static void judge(struct random *random, struct slot *slot, struct rig_result want,
		  struct rig_result got)
{
	truth_add_copy(&random->truth, want.err, bytes_copied(want));
	if (got.err == want.err && got.copied == want.copied)
		return;
	warnx("expected %s, copy %lld; the kernel returned %s, copy %lld", errno_name(want.err),
	      (long long)want.copied, errno_name(got.err), (long long)got.copied);
	random_describe(random, slot);
	random->failures++;
}

static int end_copy(struct random *random, struct slot *slot)
{
	int err = 0;

	if (slot->damaged && !slot->external) {
		err = rig_mend(slot->rigs[slot->layout]);
		random->writes++;
	}
	slot->damaged = false;
	slot->busy = false;
	random->open--;
	return err ? random_fail(random, slot, "mending the source", err) : 0;
}

static enum rig_source choose_end(struct random *random)
{
	return prng_below(&random->prng, 32)
		       ? RIG_FILL
		       : (enum rig_source)ONE_OF(random, RIG_UNMAP, RIG_PROTECT);
}

/* The model must agree with the kernel: a wrong model makes a wrong truth. */
static int check_model(struct random *random, struct slot *slot)
{
	int err = query_compare(&random->query, &slot->model, slot->first + slot->at);

	return err ? random_fail(random, slot, "the model is not what /proc/self/maps has", err)
		   : 0;
}

int random_close_window(struct random *random, struct slot *slot)
{
	enum rig_source how = choose_end(random);
	struct rig_result got;
	int err = check_model(random, slot);
	int status;
	bool held;

	if (err)
		return err;
	if (how != RIG_FILL)
		slot->damaged = true;
	err = end_window(random, slot, how);
	if (how != RIG_FILL && !slot->external)
		random->writes++;
	if (!err) {
		slot->at++;
		err = copy_pages(random, slot);
	}
	held = !err && layout_of(slot)[slot->at];
	status = go_on(random, slot, how, &got);
	if (status != held)
		return random_fail(random, slot,
				   held ? "the copy should go on" : "the copy should end",
				   status < 0 ? status : -EPROTO);
	if (held) {
		open_window(random, slot);
		return 0;
	}
	judge(random, slot, result_of(slot, err), got);
	return end_copy(random, slot);
}
