// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One long UFFDIO_COPY that is stopped in the middle, and a writer that sleeps for the lock of its
// VMA.
/*
 * A copy of thousands of mapped pages holds the read lock of its VMA for long. This thread makes it
 * longer still: on the copier's CPU, with a real-time priority, it stops the copier by not
 * sleeping. How far the copy has come is read from the destination's file, which needs no
 * mmap_lock: the writer holds that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "steps/arena.h"
#include "steps/cpu.h"
#include "steps/stopped_copy.h"

/* A copy that is first seen beyond this page is let go: the rest might be too short. */
#define TOO_LATE (LONG_PAGES * 3 / 4)
/* Less than a second: after that the kernel lets other tasks run beside a real-time one. */
#define SPIN_MS 700

const char *stopped_copy_lacks(void)
{
	if (cpu_second() < 0)
		return "needs two CPUs";
	if (cpu_real_time(true))
		return "needs the right to a real-time priority";
	cpu_real_time(false);
	return NULL;
}

int stopped_copy_init(struct stopped_copy *copy, struct hand *writer)
{
	char path[64];

	*copy = (struct stopped_copy) { .target = { .uffd = -1, .file = -1 }, .writer = writer };
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)hand_tid(writer));
	copy->writer_stat = open(path, O_RDONLY | O_CLOEXEC);
	if (copy->writer_stat < 0)
		return -errno;
	return sched_getaffinity(0, sizeof(copy->cpus), &copy->cpus) ? -errno : 0;
}

void stopped_copy_close(struct stopped_copy *copy)
{
	if (copy->stopped)
		stopped_copy_release(copy);
	rig_target_close(&copy->target);
	if (copy->writer_stat >= 0)
		close(copy->writer_stat);
}

/* From here on the copier runs only while this thread sleeps. */
static int stop(struct stopped_copy *copy)
{
	int first = cpu_first(), second = cpu_second();
	int err = cpu_pin(rig_copier_tid(copy->rig), first);

	if (!err)
		err = cpu_pin(hand_tid(copy->writer), second);
	if (!err)
		err = cpu_pin(0, first);
	if (!err)
		err = cpu_real_time(true);
	copy->stopped = !err;
	return err;
}

void stopped_copy_release(struct stopped_copy *copy)
{
	cpu_real_time(false);
	sched_setaffinity(0, sizeof(copy->cpus), &copy->cpus);
	sched_setaffinity(hand_tid(copy->writer), sizeof(copy->cpus), &copy->cpus);
	copy->stopped = false;
}

static bool copied(const struct stopped_copy *copy, size_t page)
{
	char byte = 0;

	return pread(copy->target.file, &byte, 1, (off_t)(page * PAGE)) == 1 && byte;
}

static void nap(void)
{
	const struct timespec ts = { .tv_nsec = 100 * 1000 };

	nanosleep(&ts, NULL);
}

int stopped_copy_start(struct stopped_copy *copy)
{
	struct rig_copy arg = { .uffd = copy->target.uffd, .dst = copy->target.start };
	int64_t until = now_ms() + RIG_TIMEOUT_MS;
	int err = stop(copy);

	if (!err)
		err = rig_begin(copy->rig, &arg);
	while (!err && !copied(copy, 0)) {
		nap();
		if (now_ms() > until)
			err = -ETIMEDOUT;
	}
	return err ? err : copied(copy, TOO_LATE);
}

static int protect_target(void *arg)
{
	struct stopped_copy *copy = arg;

	return mprotect((void *)copy->target.start, copy->target.len, PROT_READ) ? -errno : 0;
}

/* In uninterruptible sleep: "tid (comm) D ...". */
static bool writer_sleeps(const struct stopped_copy *copy)
{
	char text[256];
	ssize_t n = pread(copy->writer_stat, text, sizeof(text) - 1, 0);
	char *end;

	if (n <= 0)
		return false;
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && !strncmp(end, ") D", 3);
}

/*
 * Nothing but the VMA's lock makes the writer sleep: with the copy stopped no other thread wants
 * mmap_lock. The copy was stopped all the time if its last page is still missing.
 */
int stopped_copy_send_writer(struct stopped_copy *copy)
{
	int64_t until = now_ms() + SPIN_MS;

	hand_do(copy->writer, protect_target, copy);
	while (!writer_sleeps(copy))
		if (now_ms() > until)
			return -ETIMEDOUT;
	return copied(copy, LONG_PAGES - 1) ? -ETIMEDOUT : 0;
}

bool stopped_copy_writer_in(const struct stopped_copy *copy)
{
	return writer_sleeps(copy) && !copied(copy, LONG_PAGES - 1);
}
