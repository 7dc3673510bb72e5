// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a load does to its own process before it copies anything.
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/rig.h"
#include "steps/process.h"

#define STACK_TOUCHED (256 * 1024)

/* Each rig has two descriptors, and there may be hundreds of rigs. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* A stack that grows takes mmap_lock for write: let it grow now. */
static void __attribute__((noinline)) touch_stack(void)
{
	char stack[STACK_TOUCHED];

	memset(stack, 0, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory");
}

static void block_go(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/*
 * khugepaged takes mmap_lock for write when it collapses, and a huge zero page would map 511
 * untouched source pages beside the one that is read.
 */
void prepare_process(void)
{
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	allow_descriptors();
	touch_stack();
	block_go();
}

bool may_use_uffd(void)
{
	int fd = rig_uffd_open(0);

	if (fd >= 0)
		return !close(fd);
	warnx("userfaultfd: %s; it needs root, vm.unprivileged_userfaultfd=1 or access to "
	      "/dev/userfaultfd",
	      strerror(-fd));
	return false;
}

void wait_for_go(void)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fprintf(stderr, "ready %d\n", (int)getpid());
	sigwait(&set, &signal);
}
