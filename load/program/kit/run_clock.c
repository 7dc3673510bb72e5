// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The clock of a run: it ends the run in time or at a signal, and the program when nothing moves
// any more.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "program/kit/run.h"
#include "program/kit/run_shared.h"

/* Longer without a copy, a fault or a write is a hang, also for a guest under emulation. */
#define STALLED_S 60
/* How long threads may take to end after a failure. */
#define GRACE_S 5

static uint64_t progress(const struct run *run)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < TALLIES_MAX; i++)
		sum += tally_progress(&run->shared->tallies[i]);
	return sum;
}

/* From the begin of the first pass: set-up does not count. */
static bool time_is_up(const struct run *run)
{
	int64_t began = atomic_load(&run->shared->began);
	int64_t duration = (int64_t)run->params.duration_ms * NS_PER_MS;

	return began && duration && (int64_t)now_ns() - began >= duration;
}

/* A child that ended badly while its pass goes on: its parent would wait for ever. */
static bool child_died(void)
{
	siginfo_t info = { 0 };

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return false;
	return info.si_code != CLD_EXITED || info.si_status;
}

static void __attribute__((noreturn)) give_up(const struct run *run, const char *why)
{
	fprintf(stderr, "uffdload: %s: %s; calls %llu, passes %llu\n", run->name, why,
		(unsigned long long)progress(run), (unsigned long long)run->passes);
	_exit(EXIT_FAILURE);
}

/* Ends the run when its time is up or at a signal, and the program when nothing moves any more. */
static void *keep_time(void *data)
{
	struct run *run = data;
	int64_t moved = now_ns(), failed = 0;
	uint64_t before = 0, now;
	struct timespec tick = { .tv_nsec = 50 * 1000 * 1000 };
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGUSR2); /* the run is over */
	for (;;) {
		int signal = sigtimedwait(&ends, NULL, &tick);

		if (signal == SIGUSR2)
			return NULL;
		if (signal > 0 || time_is_up(run))
			atomic_store(&run->shared->stop, true);
		now = progress(run);
		if (now != before)
			moved = now_ns();
		before = now;
		if (now_ns() - moved > STALLED_S * NS_PER_S)
			give_up(run, "nothing moved for a minute");
		if (!failed && (run_failed(run) || child_died()))
			failed = now_ns();
		if (failed && now_ns() - failed > GRACE_S * NS_PER_S)
			give_up(run, "it could not end after a failure");
	}
}

/* Before any thread exists: all inherit it, and only the clock waits for signals. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int run_start_clock(struct run *run)
{
	block_signals();
	return -pthread_create(&run->clock, NULL, keep_time, run);
}

void run_stop_clock(struct run *run)
{
	pthread_kill(run->clock, SIGUSR2);
	pthread_join(run->clock, NULL);
}
