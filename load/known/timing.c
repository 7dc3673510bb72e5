// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Windows that open or end while a writer sleeps inside its write section, each verified to be what it is called.
/*
 * A writer sleeps in __vma_start_write(), with mmap_lock held for writing and mm_lock_seq odd, for as long as a copy
 * holds the read lock of the VMA that it wants. One UFFDIO_COPY of thousands of mapped pages holds it long enough,
 * and this thread makes it longer still: on the copier's CPU, with a real-time priority, it stops the copier in the
 * middle by merely not sleeping. How far the copy has come is read from the destination's file: that needs no
 * mmap_lock, which the writer holds.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "known/expect.h"
#include "lib/clock.h"
#include "load.h"
#include "known/timing.h"

#define LONG_PAGES 4000
/* A copy that has come this far when this thread sees it is let go: the rest might be too short. */
#define TOO_LATE (LONG_PAGES * 3 / 4)
#define ATTEMPTS 50
/* Below the second after which the kernel lets other tasks run beside a real-time one. */
#define SPIN_MS 700

static char blocked_layout[LONG_PAGES + 2];
static char mapped_layout[LONG_PAGES + 1];

struct timed_run {
	struct timing_rigs *rigs;
	struct ground *ground;
	const struct scenario *scenario;
	struct truth *truth;
	struct rig *rig;	  /* of the long copy */
	struct rig_target target; /* and its destination */
	int writer_stat;	  /* /proc/self/task/TID/stat of the hand */
	cpu_set_t cpus;		  /* of this thread before */
	bool frozen;
};

/* --- the CPUs ----------------------------------------------------------------------------------------------- */

static int real_time(bool on)
{
	struct sched_param param = { .sched_priority = on ? 1 : 0 };

	return sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &param) ? -errno : 0;
}

const char *timing_lacks(void)
{
	if (second_cpu() < 0)
		return "needs two CPUs";
	if (real_time(true))
		return "needs the right to a real-time priority";
	real_time(false);
	return NULL;
}

static int put_on(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

/* From here on the copier runs only while this thread sleeps. */
static int freeze(struct timed_run *run)
{
	int first = first_cpu(), second = second_cpu();
	int err = put_on(rig_copier_tid(run->rig), first);

	if (!err)
		err = put_on(hand_tid(run->ground->hand), second);
	if (!err)
		err = put_on(0, first);
	if (!err)
		err = real_time(true);
	run->frozen = !err;
	return err;
}

static void thaw(struct timed_run *run)
{
	real_time(false);
	sched_setaffinity(0, sizeof(run->cpus), &run->cpus);
	sched_setaffinity(hand_tid(run->ground->hand), sizeof(run->cpus), &run->cpus);
	run->frozen = false;
}

/* --- what can be seen without mmap_lock --------------------------------------------------------------------- */

static bool copied(const struct timed_run *run, size_t page)
{
	char byte = 0;

	return pread(run->target.file, &byte, 1, (off_t)(page * PAGE)) == 1 && byte;
}

static int open_writer_stat(struct timed_run *run)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)hand_tid(run->ground->hand));
	run->writer_stat = open(path, O_RDONLY | O_CLOEXEC);
	return run->writer_stat < 0 ? -errno : 0;
}

/* In uninterruptible sleep: "tid (comm) D ...". */
static bool writer_sleeps(const struct timed_run *run)
{
	char text[256];
	ssize_t n = pread(run->writer_stat, text, sizeof(text) - 1, 0);
	char *end;

	if (n <= 0)
		return false;
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && !strncmp(end, ") D", 3);
}

static void nap(void)
{
	const struct timespec ts = { .tv_nsec = 100 * 1000 };

	nanosleep(&ts, NULL);
}

/* --- the long copy ------------------------------------------------------------------------------------------ */

/* 0: stopped in the middle, 1: it came too far. */
static int start_long_copy(struct timed_run *run)
{
	struct rig_copy copy = { .uffd = run->target.uffd, .dst = run->target.start };
	int64_t until = now_ms() + RIG_TIMEOUT_MS;
	int err = freeze(run);

	if (!err)
		err = rig_begin(run->rig, &copy);
	while (!err && !copied(run, 0)) {
		nap();
		if (now_ms() > until)
			err = -ETIMEDOUT;
	}
	return err ? err : copied(run, TOO_LATE);
}

static int protect_target(void *arg)
{
	struct timed_run *run = arg;

	return mprotect((void *)run->target.start, run->target.len, PROT_READ) ? -errno : 0;
}

/*
 * Send the writer to the VMA that the copy has locked, and see it asleep there. Nothing else makes it sleep: with
 * the copy stopped nobody but the writer wants mmap_lock. That the copy's last page is not there yet says that it was
 * stopped all the time.
 */
static int send_writer(struct timed_run *run)
{
	int64_t until = now_ms() + SPIN_MS;

	hand_do(run->ground->hand, protect_target, run);
	while (!writer_sleeps(run))
		if (now_ms() > until)
			return -ETIMEDOUT;
	return copied(run, LONG_PAGES - 1) ? -ETIMEDOUT : 0;
}

static bool writer_still_in(const struct timed_run *run)
{
	return writer_sleeps(run) && !copied(run, LONG_PAGES - 1);
}

static int empty_target(struct timed_run *run)
{
	int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	return fallocate(run->target.file, mode, 0, (off_t)run->target.len) ? -errno : 0;
}

/* --- judging ------------------------------------------------------------------------------------------------ */

/* 1 when the kernel did otherwise. */
static int judge(struct timed_run *run, const struct expected_copy *copy, struct rig_result got)
{
	struct rig_result want = expect_result(copy, run->truth->kernel_check);

	expect_add(run->truth, copy);
	if (got.err == want.err && got.copied == want.copied)
		return 0;
	warnx("%s: expected %s, copy %lld; the kernel returned %s, copy %lld", run->scenario->name,
	      errno_name(want.err), (long long)want.copied, errno_name(got.err), (long long)got.copied);
	return 1;
}

/* A copy without any window. */
static int judge_mapped(struct timed_run *run)
{
	struct rig_result got = rig_result(run->rig);

	truth_add_copy(run->truth, 0, LONG_PAGES * PAGE);
	if (!got.err && got.copied == (int64_t)(LONG_PAGES * PAGE))
		return 0;
	warnx("%s: the long copy returned %s, copy %lld", run->scenario->name, errno_name(got.err),
	      (long long)got.copied);
	return 1;
}

/* --- asleep ------------------------------------------------------------------------------------------------- */

/* The window opens, and ends; written tells whether the writer was in when it opened. */
static int finish_asleep(struct timed_run *run, bool written)
{
	struct expected_copy copy = { .layout = blocked_layout, .held = LONG_PAGES };
	int status;

	thaw(run);
	status = rig_wait(run->rig, RIG_TIMEOUT_MS);
	if (status == 1 && written)
		status = hand_wait(run->ground->hand) ? -EIO : 1;
	if (status == 1)
		status = rig_go_on(run->rig, RIG_FILL);
	if (status)
		return status < 0 ? status : -EPROTO;
	copy.window = scenario_window(run->scenario, 0);
	if (!written)
		copy.window = (struct truth_window) { .kind = TRUTH_KIND_SHMEM, .class = TRUTH_QUIET };
	return judge(run, &copy, rig_result(run->rig));
}

/*
 * The last page's window opens while the writer sleeps for its VMA. When the copy came too far the writer is not sent
 * at all, and that window is a quiet one.
 */
static int run_asleep(struct timed_run *run)
{
	int i, late, err;

	run->rig = run->rigs->blocked;
	for (i = 0; i < ATTEMPTS; i++) {
		err = rig_target_open(&run->target, RIG_SHMEM, LONG_PAGES + 1);
		if (err)
			return err;
		late = start_long_copy(run);
		if (!late)
			late = send_writer(run);
		if (late < 0)
			return late;
		err = finish_asleep(run, !late);
		rig_target_close(&run->target);
		if (err || !late)
			return err;
	}
	return -ETIMEDOUT;
}

/* --- still in, and in all along ----------------------------------------------------------------------------- */

static int poll_handler(struct timed_run *run, int want, struct rig_result *result)
{
	int64_t until = now_ms() + SPIN_MS;
	int status;

	do {
		status = handler_wait(&run->ground->handler, !run->frozen, result);
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

	thaw(run);
	status = rig_wait(run->rig, RIG_TIMEOUT_MS);
	if (status)
		return status < 0 ? status : -EPROTO;
	return judge_mapped(run);
}

/* Copies that came too far have done nothing to mm_lock_seq and have no window: the next one starts over. */
static int catch_long_copy(struct timed_run *run)
{
	int i, late, err;

	for (i = 0; i < ATTEMPTS; i++) {
		late = start_long_copy(run);
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

/* One long copy and one window; *confirmed: the writer was in when it was to be. */
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
		err = send_writer(run);
	if (!err && before)
		err = open_window(run, place);
	if (!err)
		err = close_window(run, &result);
	if (err)
		return err;
	*confirmed = writer_still_in(run);
	unexpected = judge(run, &copy, result);
	err = finish_long_copy(run);
	if (!err && hand_wait(run->ground->hand))
		err = -EIO;
	return err ? err : unexpected;
}

/* Its VMA needs an anon_vma before: preparing one would wait for the writer. */
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
 * Unconfirmed windows of the first kind were unrelated all the same: the writer went in while they were open. One of
 * the second kind is uncertain, and a failure; nothing but a copier that ran while it was stopped can do that.
 */
static int run_in_write_section(struct timed_run *run)
{
	bool confirmed = false;
	struct place place;
	int i, err = 0;

	run->rig = run->rigs->mapped;
	for (i = 0; i < ATTEMPTS && !err && !confirmed; i++) {
		err = rig_target_open(&run->target, RIG_SHMEM, LONG_PAGES);
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
		rig_target_close(&run->target);
	}
	return err || confirmed ? err : -ETIMEDOUT;
}

/* --- the module --------------------------------------------------------------------------------------------- */

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

int timing_run(struct timing_rigs *rigs, struct ground *ground, const struct scenario *scenario, struct truth *truth)
{
	struct timed_run run = {
		.rigs = rigs,
		.ground = ground,
		.scenario = scenario,
		.truth = truth,
		.target = { .uffd = -1, .file = -1 },
	};
	int err = open_writer_stat(&run);

	sched_getaffinity(0, sizeof(run.cpus), &run.cpus);
	if (!err && scenario->timing == TIMING_ASLEEP)
		err = run_asleep(&run);
	else if (!err)
		err = run_in_write_section(&run);
	if (run.frozen)
		thaw(&run);
	rig_target_close(&run.target);
	close(run.writer_stat);
	return err;
}
