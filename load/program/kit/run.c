// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One run of a load: what its threads and processes share.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "program/kit/run.h"
#include "program/kit/run_shared.h"

int run_init(struct run *run)
{
	int flags = MAP_SHARED | MAP_ANONYMOUS;

	run->shared = mmap(NULL, sizeof(*run->shared), PROT_READ | PROT_WRITE, flags, -1, 0);
	return run->shared == MAP_FAILED ? -ENOMEM : 0;
}

int run_prepare_pass(struct run *run)
{
	run->nr_tallies = 0;
	atomic_store(&run->shared->go, false);
	atomic_store(&run->shared->pass_over, false);
	run->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (run->over_fd >= 0)
		return 0;
	run_fail(run, "eventfd: %s", strerror(errno));
	return -EMFILE;
}

void run_sum(const struct run *run, struct tally *sum)
{
	size_t i;

	for (i = 0; i < TALLIES_MAX; i++)
		tally_sum(sum, &run->shared->tallies[i]);
}

bool run_stopped(const struct run *run)
{
	return atomic_load_explicit(&run->shared->stop, memory_order_relaxed);
}

bool run_pass_over(const struct run *run)
{
	return atomic_load_explicit(&run->shared->pass_over, memory_order_relaxed) ||
	       run_stopped(run);
}

bool run_failed(const struct run *run)
{
	return atomic_load(&run->shared->failed);
}

void run_fail(struct run *run, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	warnx("%s: %s", run->name, text);
	atomic_store(&run->shared->failed, true);
	atomic_store(&run->shared->stop, true);
}

struct tally *run_tally(struct run *run)
{
	if (run->nr_tallies == TALLIES_MAX)
		errx(EXIT_FAILURE, "%s: more than %d threads", run->name, TALLIES_MAX);
	return &run->shared->tallies[run->nr_tallies++];
}

/* Tallies are given out in the same order in each pass, so the same thread has the same tally. */
void run_begin_pass(struct run *run)
{
	int64_t never = 0;

	run->since = now_ns();
	atomic_compare_exchange_strong(&run->shared->began, &never, run->since);
	atomic_store(&run->shared->go, true);
}

void run_wait_begin(const struct run *run)
{
	const struct timespec ts = { .tv_nsec = 1000 * 1000 };

	while (!atomic_load(&run->shared->go) && !run_stopped(run))
		nanosleep(&ts, NULL);
}

void run_end_pass(struct run *run)
{
	run->active_ns += now_ns() - run->since;
	atomic_store(&run->shared->pass_over, true);
}

void run_end_service(struct run *run)
{
	const uint64_t one = 1;

	if (write(run->over_fd, &one, sizeof(one)) != sizeof(one))
		run_fail(run, "eventfd: %s", strerror(errno));
}

pid_t run_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	return 0;
}

void run_reap(struct run *run, pid_t pid, const char *who)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		run_fail(run, "%s: waitpid: %s", who, strerror(errno));
	else if (WIFSIGNALED(status))
		run_fail(run, "%s died of signal %d", who, WTERMSIG(status));
	else if (WEXITSTATUS(status) && !run_failed(run))
		run_fail(run, "%s ended with status %d", who, WEXITSTATUS(status));
}
