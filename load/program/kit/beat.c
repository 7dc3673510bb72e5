// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A thread that does one thing at a set rate until the pass is over.
#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include "program/kit/beat.h"
#include "steps/pace.h"

/* How often to look for the end of the pass. */
#define SLICE_NS (NS_PER_S / 20)

static void sleep_ns(int64_t ns)
{
	struct timespec ts = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	nanosleep(&ts, NULL);
}

static void sleep_until(const struct beat *beat, int64_t when)
{
	int64_t now;

	for (now = now_ns(); now < when && !run_pass_over(beat->run); now = now_ns())
		sleep_ns(when - now < SLICE_NS ? when - now : SLICE_NS);
}

static void *keep_beat(void *data)
{
	struct beat *beat = data;
	int64_t next;
	int err;

	run_wait_begin(beat->run);
	next = now_ns();
	while (!run_pass_over(beat->run)) {
		err = beat->once(beat);
		if (err < 0)
			run_fail(beat->run, "%s: %s", beat->name, strerror(-err));
		if (err)
			break;
		beat->tally->counts[beat->count]++;
		if (beat->rate == RATE_MAX)
			continue;
		next = pace_next(next, beat->rate);
		sleep_until(beat, next);
	}
	return NULL;
}

int beat_start(struct crew *crew, struct beat *beat)
{
	int err;

	if (!beat->rate)
		return 0;
	err = crew_start(crew, keep_beat, beat);
	if (err)
		run_fail(beat->run, "%s: %s", beat->name, strerror(-err));
	return err;
}
