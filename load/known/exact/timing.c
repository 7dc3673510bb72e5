// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Windows that open or end while a writer sleeps inside its write section, each verified to be what
// it is called.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <unistd.h>

#include "known/expect.h"
#include "known/exact/timing.h"
#include "lib/clock.h"
#include "steps/stopped_copy.h"

#define ATTEMPTS 50
/* How long the handler may take while this thread keeps a CPU busy. */
#define SPIN_MS 700

static char blocked_layout[LONG_PAGES + 2];
static char mapped_layout[LONG_PAGES + 1];

struct timed_run {
	struct timing_rigs *rigs;
	struct ground *ground;
	const struct scenario *scenario;
	struct truth *truth;
	struct stopped_copy copy;
};

static int empty_target(struct timed_run *run)
{
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	return fallocate(run->copy.target.file, mode, 0, (off_t)run->copy.target.len) ? -errno : 0;
}

/* --- judging ---------------------------------------------------------------------------------- */

/* 1 when the kernel did otherwise. */
static int judge(struct timed_run *run, const struct expected_copy *copy, struct rig_result got)
{
	struct rig_result want = expect_result(copy, run->truth->kernel_check);

	expect_add(run->truth, copy);
	if (got.err == want.err && got.copied == want.copied)
		return 0;
	warnx("%s: expected %s, copy %lld; the kernel returned %s, copy %lld", run->scenario->name,
	      errno_name(want.err), (long long)want.copied, errno_name(got.err),
	      (long long)got.copied);
	return 1;
}

/* A copy without any window. */
static int judge_mapped(struct timed_run *run)
{
	struct rig_result got = rig_result(run->copy.rig);

	truth_add_copy(run->truth, 0, LONG_PAGES * PAGE);
	if (!got.err && got.copied == (int64_t)(LONG_PAGES * PAGE))
		return 0;
	warnx("%s: the long copy returned %s, copy %lld", run->scenario->name, errno_name(got.err),
	      (long long)got.copied);
	return 1;
}

/* --- asleep ----------------------------------------------------------------------------------- */

/* The window opens, and ends; written: the writer was in its write section when it opened. */
static int finish_asleep(struct timed_run *run, bool written)
{
	struct expected_copy copy = { .layout = blocked_layout, .held = LONG_PAGES };
	int status;

	stopped_copy_release(&run->copy);
	status = rig_wait(run->copy.rig, RIG_TIMEOUT_MS);
	if (status == 1 && written)
		status = hand_wait(run->ground->hand) ? -EIO : 1;
	if (status == 1)
		status = rig_go_on(run->copy.rig, RIG_FILL);
	if (status)
		return status < 0 ? status : -EPROTO;
	copy.window = scenario_window(run->scenario, 0);
	if (!written)
		copy.window =
			(struct truth_window) { .kind = TRUTH_KIND_SHMEM, .class = TRUTH_QUIET };
	return judge(run, &copy, rig_result(run->copy.rig));
}

/*
 * The last page's window opens while the writer sleeps for its VMA. When the copy came too far no
 * writer is sent, and the window is quiet.
 */
static int run_asleep(struct timed_run *run)
{
	int i, late, err;

	run->copy.rig = run->rigs->blocked;
	for (i = 0; i < ATTEMPTS; i++) {
		err = rig_target_open(&run->copy.target, RIG_SHMEM, LONG_PAGES + 1);
		if (err)
			return err;
		late = stopped_copy_start(&run->copy);
		if (!late)
			late = stopped_copy_send_writer(&run->copy);
		if (late < 0)
			return late;
		err = finish_asleep(run, !late);
		rig_target_close(&run->copy.target);
		if (err || !late)
			return err;
	}
	return -ETIMEDOUT;
}

/* --- still in, and in all along --------------------------------------------------------------- */

static int poll_handler(struct timed_run *run, int want, struct rig_result *result)
{
	int64_t until = now_ms() + SPIN_MS;
	int status;

	do {
		status = handler_wait(&run->ground->handler, !run->copy.stopped, result);
	} while (status == -EAGAIN && now_ms() < until);
	if (status < 0)
		return status == -EAGAIN ? -ETIMEDOUT : status;
	return status == want ? 0 : -EPROTO;
}

static int open_window(struct timed_run *run, const struct place *place)
{
	struct rig_copy copy = { .uffd = place->uffd, .dst = place->start };
	struct rig_result unused;
	int err = handler_begin(&run->ground->handler, "b", &copy);

	return err ? err : poll_handler(run, 1, &unused);
}

static int close_window(struct timed_run *run, struct rig_result *result)
{
	int err = handler_resolve(&run->ground->handler, RIG_FILL);

	return err ? err : poll_handler(run, 0, result);
}

static int finish_long_copy(struct timed_run *run)
{
	int status;

	stopped_copy_release(&run->copy);
	status = rig_wait(run->copy.rig, RIG_TIMEOUT_MS);
	if (status)
		return status < 0 ? status : -EPROTO;
	return judge_mapped(run);
}

/* A copy that came too far neither moved mm_lock_seq nor had a window: start over. */
static int catch_long_copy(struct timed_run *run)
{
	int i, late, err;

	for (i = 0; i < ATTEMPTS; i++) {
		late = stopped_copy_start(&run->copy);
		if (late <= 0)
			return late;
		err = finish_long_copy(run);
		if (!err)
			err = empty_target(run);
		if (err)
			return err;
	}
	return -ETIMEDOUT;
}

/* One long copy and one window; *confirmed: the writer was in its write section all the time. */
static int in_write_section(struct timed_run *run, const struct place *place, bool *confirmed)
{
	bool before = run->scenario->timing == TIMING_IN_ALL_ALONG;
	struct expected_copy copy = { .layout = "b", .window = scenario_window(run->scenario, 0) };
	struct rig_result result;
	int err = before ? 0 : open_window(run, place);
	int unexpected;

	if (!err)
		err = catch_long_copy(run);
	if (!err)
		err = stopped_copy_send_writer(&run->copy);
	if (!err && before)
		err = open_window(run, place);
	if (!err)
		err = close_window(run, &result);
	if (err)
		return err;
	*confirmed = stopped_copy_writer_in(&run->copy);
	unexpected = judge(run, &copy, result);
	err = finish_long_copy(run);
	if (!err && hand_wait(run->ground->hand))
		err = -EIO;
	return err ? err : unexpected;
}

/* Its VMA needs an anon_vma beforehand: preparing one would wait for the writer. */
static int set_up_place(struct timed_run *run, struct place *place)
{
	int err;

	*place = (struct place) {
		.kind = PLACE_ANON,
		.start = run->ground->arena.start + GROUND_FRONT * PAGE,
		.pages = 2,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
		.uffd = rig_uffd_open(0),
	};
	if (place->uffd < 0)
		return place->uffd;
	err = place_set_up(&run->ground->arena, place);
	if (!err)
		err = handler_prepare(&run->ground->handler, "b");
	return err ? err : rig_zeropage(place->uffd, place->start + PAGE, PAGE);
}

/*
 * An unconfirmed window of "still in" was unrelated all the same: the writer went in while it was
 * open. One of "in all along" is uncertain, and a failure: only a copier that ran although it was
 * stopped can cause that.
 */
static int run_in_write_section(struct timed_run *run)
{
	bool confirmed = false;
	struct place place;
	int i, err = 0;

	run->copy.rig = run->rigs->mapped;
	for (i = 0; i < ATTEMPTS && !err && !confirmed; i++) {
		err = rig_target_open(&run->copy.target, RIG_SHMEM, LONG_PAGES);
		if (!err)
			err = set_up_place(run, &place);
		if (!err)
			err = in_write_section(run, &place, &confirmed);
		if (!err && !confirmed && run->scenario->timing == TIMING_IN_ALL_ALONG)
			err = -ETIMEDOUT;
		if (err >= 0)
			close(place.uffd);
		if (err >= 0)
			arena_clear(&run->ground->arena, place.start, place.pages);
		rig_target_close(&run->copy.target);
	}
	return err || confirmed ? err : -ETIMEDOUT;
}

/* --- the module ------------------------------------------------------------------------------- */

int timing_create(struct timing_rigs *rigs)
{
	int err;

	memset(blocked_layout, 'm', LONG_PAGES);
	blocked_layout[LONG_PAGES] = 'b';
	memset(mapped_layout, 'm', LONG_PAGES);
	err = rig_create(&rigs->blocked, blocked_layout);
	return err ? err : rig_create(&rigs->mapped, mapped_layout);
}

void timing_destroy(struct timing_rigs *rigs)
{
	rig_destroy(rigs->blocked);
	rig_destroy(rigs->mapped);
}

int timing_run(struct timing_rigs *rigs, struct ground *ground, const struct scenario *scenario,
	       struct truth *truth)
{
	struct timed_run run = {
		.rigs = rigs, .ground = ground, .scenario = scenario, .truth = truth
	};
	int err = stopped_copy_init(&run.copy, ground->hand);

	if (!err && scenario->timing == TIMING_ASLEEP)
		err = run_asleep(&run);
	else if (!err)
		err = run_in_write_section(&run);
	stopped_copy_close(&run.copy);
	return err;
}
