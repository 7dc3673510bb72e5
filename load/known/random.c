// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload random`: random windows with random operations in them, judged by a model of the address space.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "known/expect.h"
#include "load.h"
#include "known/model.h"
#include "steps/prng.h"
#include "known/query.h"

#define SLOT_STRIDE 16	 /* pages from one slot's place to the next */
#define OPERATIONS_MAX 4 /* in one window */
#define STEPS_MAX 64	 /* remembered for a message */

static const char *const layouts[] = { "b", "b", "b", "mb", "bm", "nbn", "bb", "bmm" };
#define NR_LAYOUTS ((int)(sizeof(layouts) / sizeof(layouts[0])))

/* One destination, and the copies to it: one at a time. */
struct slot {
	bool external; /* copied to by the handler */
	struct place place;
	struct model model;
	struct rig *rigs[NR_LAYOUTS]; /* not when external */
	bool dirty;		      /* its mapping is no longer as it was made */

	bool busy;
	int layout;
	int first;		 /* the copy's first page in the place */
	int at;			 /* index in the layout of the held page */
	unsigned int operations; /* still to be done in this window */
	uint64_t writes;	 /* to mmap_lock, when the window opened */
	bool damaged;		 /* the source must be mended */
	struct step steps[STEPS_MAX];
	size_t nr_steps;
};

struct random {
	const struct random_options *options;
	struct prng prng;
	struct ground ground;
	struct slot *slots;
	unsigned int nr_slots;
	unsigned int open;
	unsigned int target; /* so many windows open at a time, for now */
	uint64_t writes;     /* sections that wrote this mm's mmap_lock */
	bool can_bind;
	bool can_wp;
	struct query query;
	struct truth truth;
	uint64_t failures;
};

/* --- messages ----------------------------------------------------------------------------------------------- */

static void describe(const struct random *random, const struct slot *slot)
{
	size_t i;

	warnx("  seed %llu, window %llu: place kind %d, layout %s from page %d, held page %d%s",
	      (unsigned long long)random->options->seed, (unsigned long long)random->truth.windows,
	      (int)slot->place.kind, layouts[slot->layout], slot->first, slot->first + slot->at,
	      slot->external ? ", external" : "");
	for (i = 0; i < slot->nr_steps; i++)
		warnx("  %s from %d, %d pages, argument %u, shift %d", step_name(slot->steps[i].kind),
		      slot->steps[i].from, slot->steps[i].pages, slot->steps[i].arg, slot->steps[i].shift);
}

static int fail(struct random *random, const struct slot *slot, const char *what, int err)
{
	warnx("%s: %s", what, strerror(-err));
	describe(random, slot);
	return err;
}

/* --- set-up ------------------------------------------------------------------------------------------------- */

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
		err = rig_create(&slot->rigs[i], layouts[i]);
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
	const struct step bind = { .kind = STEP_BIND, .arg = MPOL_BIND };
	const struct step wp = {
		.kind = STEP_REGISTER,
		.arg = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};

	random->can_bind = !step_lacks(&random->ground, PLACE_ANON, 0, &bind);
	random->can_wp =
		!step_lacks(&random->ground, PLACE_ANON, 0, &wp) && !step_lacks(&random->ground, PLACE_SHMEM, 0, &wp);
}

static int set_up(struct random *random)
{
	unsigned int n;
	int err;

	random->nr_slots = random->options->at_once + 1;
	random->slots = calloc(random->nr_slots, sizeof(*random->slots));
	if (!random->slots)
		return -ENOMEM;
	err = ground_create(&random->ground, random->nr_slots * SLOT_STRIDE, random->nr_slots * MODEL_FILE_PAGES);
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

/* --- a slot's mapping --------------------------------------------------------------------------------------- */

static int empty_slot_files(const struct random *random, const struct slot *slot)
{
	return arena_empty_files(&random->ground.arena, slot->place.offset - MODEL_OFFSET, MODEL_FILE_PAGES);
}

/* Map it anew, as something else maybe: seen as writes by the windows that are open now. */
static int rebuild(struct random *random, struct slot *slot)
{
	int err = arena_clear(&random->ground.arena, place_page(&slot->place, -MODEL_FRONT), MODEL_PAGES);

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

/* Take only the pages away: no write. */
static int empty(struct random *random, struct slot *slot)
{
	if (madvise((void *)slot->place.start, MODEL_PLACE * PAGE, MADV_DONTNEED))
		return -errno;
	memset(slot->model.filled, 0, sizeof(slot->model.filled));
	return empty_slot_files(random, slot);
}

/* A shared anonymous file is out of reach: its pages go only with its mapping. */
static int refresh(struct random *random, struct slot *slot)
{
	bool anew = slot->dirty || slot->place.kind == PLACE_SHARED_ANON || !prng_below(&random->prng, 4);

	return anew ? rebuild(random, slot) : empty(random, slot);
}

/* --- operations --------------------------------------------------------------------------------------------- */

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
		step->pages = 1 + (int)prng_below(&random->prng, (uint32_t)(MODEL_PAGES - MODEL_FRONT - step->from));
		break;
	}
}

static int one_of(struct random *random, const int *values, uint32_t nr)
{
	return values[prng_below(&random->prng, nr)];
}

#define ONE_OF(random, ...)                                                                                            \
	one_of(random, (const int[]) { __VA_ARGS__ }, sizeof((const int[]) { __VA_ARGS__ }) / sizeof(int))

static int do_step(struct random *random, struct slot *slot, const struct step *step)
{
	int err = step_run(&random->ground, &slot->place, step);

	if (slot->nr_steps < STEPS_MAX)
		slot->steps[slot->nr_steps++] = *step;
	return err ? fail(random, slot, step_name(step->kind), err) : 0;
}

/* Steps that the model would not allow are left out. */
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

/* Most of what is mapped anew or unregistered is registered again, else most windows would be gone. */
static int maybe_register(struct random *random, struct slot *slot, const struct step *range)
{
	return prng_below(&random->prng, 8) ? register_range(random, slot, range) : 0;
}

static int remap(struct random *random, struct slot *slot, struct step *step)
{
	int err;

	step->kind = STEP_MAP;
	step->arg = (unsigned int)ONE_OF(random, AS_BEFORE, AS_BEFORE, AS_BEFORE, AS_ANON, AS_SHARED_ANON,
					 AS_FILE_SHARED, AS_FILE_PRIVATE, AS_AGAIN, AS_OTHER);
	step->shift = ONE_OF(random, 0, 0, 0, -2, 2, 8);
	err = change(random, slot, step);
	return err ? err : maybe_register(random, slot, step);
}

/* The same file so many pages further on in memory, at the same offset: what no snapshot of vm_pgoff sees. */
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

/* Away and back at once, so that the model needs to know one place only. */
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
		.arg = (unsigned int)ONE_OF(random, ELSEWHERE_DONTNEED, ELSEWHERE_TOUCH, ELSEWHERE_MAPS, ELSEWHERE_MMAP,
					    ELSEWHERE_PROTECT, ELSEWHERE_PROTECT_FAILS, ELSEWHERE_UNMAP_NOTHING,
					    ELSEWHERE_MREMAP, ELSEWHERE_LOCK, ELSEWHERE_BRK, ELSEWHERE_THREAD,
					    ELSEWHERE_CLOSE_UFFD),
	};
	int err = do_step(random, slot, &step);

	random->writes += step.arg >= ELSEWHERE_MMAP;
	return err;
}

/* In the handler's mm: nothing that this one's windows could see. */
static int handler_writes(struct random *random, struct slot *slot)
{
	const struct step step = { .kind = STEP_HANDLER_WRITE };

	return do_step(random, slot, &step);
}

static int operate(struct random *random, struct slot *slot)
{
	struct step step = { .kind = STEP_NONE };

	choose_range(random, slot, &step);
	switch (prng_below(&random->prng, 20)) {
	case 0:
	case 1:
		step.kind = STEP_PROTECT;
		step.arg = (unsigned int)ONE_OF(random, PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE);
		return change(random, slot, &step);
	case 2:
		step.kind = STEP_ADVISE;
		step.arg = (unsigned int)ONE_OF(random, MADV_DONTFORK, MADV_DOFORK, MADV_NOHUGEPAGE);
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

/* --- copies ------------------------------------------------------------------------------------------------- */

static const char *layout_of(const struct slot *slot)
{
	return layouts[slot->layout];
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

static int go_on(struct random *random, struct slot *slot, enum rig_source how, struct rig_result *result)
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
		.kind = slot->model.pages[slot->first + MODEL_FRONT].vma.file ? TRUTH_KIND_SHMEM : TRUTH_KIND_ANON,
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
 * Pages from the current one on, until the next held page: 0 held or at the end, else the errno that stops the copy.
 * Nothing happens to the mm meanwhile.
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

static int begin_copy(struct random *random, struct slot *slot)
{
	int err = refresh(random, slot);
	int status;

	if (err)
		return fail(random, slot, "a new destination", err);
	slot->layout = (int)prng_below(&random->prng, NR_LAYOUTS);
	slot->first = (int)prng_below(&random->prng, (uint32_t)(MODEL_PLACE - strlen(layout_of(slot)) + 1));
	slot->at = 0;
	slot->nr_steps = 0;
	status = start(random, slot);
	if (status != 1)
		return fail(random, slot, "no window opened", status < 0 ? status : -EPROTO);
	err = copy_pages(random, slot);
	if (err)
		return fail(random, slot, "the model of an empty destination", -err);
	open_window(random, slot);
	slot->busy = true;
	random->open++;
	return 0;
}

/* --- ends --------------------------------------------------------------------------------------------------- */

/* The held page's window: 0 when the page is copied, else the errno that ends the copy. */
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
		err = model_retake(&slot->model, slot->first, (int)strlen(layout_of(slot)), &window);
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

static void judge(struct random *random, struct slot *slot, struct rig_result want, struct rig_result got)
{
	truth_add_copy(&random->truth, want.err, bytes_copied(want));
	if (got.err == want.err && got.copied == want.copied)
		return;
	warnx("expected %s, copy %lld; the kernel returned %s, copy %lld", errno_name(want.err), (long long)want.copied,
	      errno_name(got.err), (long long)got.copied);
	describe(random, slot);
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
	return err ? fail(random, slot, "mending the source", err) : 0;
}

static enum rig_source choose_end(struct random *random)
{
	return prng_below(&random->prng, 32) ? RIG_FILL : (enum rig_source)ONE_OF(random, RIG_UNMAP, RIG_PROTECT);
}

/* The model must be right about what the kernel has: a wrong one would make a wrong truth. */
static int check_model(struct random *random, struct slot *slot)
{
	int err = query_compare(&random->query, &slot->model, slot->first + slot->at);

	return err ? fail(random, slot, "the model is not what /proc/self/maps has", err) : 0;
}

static int close_window(struct random *random, struct slot *slot)
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
		return fail(random, slot, held ? "the copy should go on" : "the copy should end",
			    status < 0 ? status : -EPROTO);
	if (held) {
		open_window(random, slot);
		return 0;
	}
	judge(random, slot, result_of(slot, err), got);
	return end_copy(random, slot);
}

/* --- the run ------------------------------------------------------------------------------------------------ */

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
	if (!last && random->open < random->target && (!random->open || prng_below(&random->prng, 2)))
		return begin_copy(random, choose_slot(random, false));
	slot = choose_slot(random, true);
	if (!slot->operations)
		return close_window(random, slot);
	slot->operations--;
	return operate(random, slot);
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
	json_object_object_add(object, "model_verified", json_object_new_boolean(random->query.fd >= 0));
	json_object_object_add(object, "failures", json_object_new_uint64(random->failures));
	err = print_json(object);
	json_object_put(object);
	return err;
}

int random_main(const struct random_options *options)
{
	static struct random random;
	int err;

	if (!may_use_uffd())
		return EXIT_FAILURE;
	random.options = options;
	random.prng.state = options->seed;
	random.truth.kernel_check = options->kernel_check;
	random.truth.mmap_lock_only = options->mmap_lock_only;
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
