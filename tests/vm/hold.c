// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * hold N STRIDE: N threads sleep in retry windows of their own UFFDIO_COPYs. Their tids differ by
 * multiples of STRIDE (which needs a high pid_max), or are arbitrary with 0. It prints "ready PID"
 * to stderr, waits for SIGUSR1 to copy, prints "open" when all sleep, and waits for SIGUSR2 to let
 * them go on. Exit status 0: every copy succeeded.
 */
#include "lib/rig.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define MAX_THREADS 64

static struct rig_target target;
static unsigned char *source;
static pthread_barrier_t begin;

static void die(const char *what)
{
	fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The next thread gets @tid, if no other thread starts meanwhile. */
static void aim(int tid)
{
	FILE *f = fopen("/proc/sys/kernel/ns_last_pid", "w");

	if (!f || fprintf(f, "%d", tid - 1) < 0 || fclose(f))
		die("ns_last_pid");
}

static struct copy {
	unsigned long page;
	int tid; /* that the thread must have; 0: any */
} copies[MAX_THREADS];

static void *copy_page(void *data)
{
	const struct copy *copy = data;
	unsigned long page = copy->page;
	struct uffdio_copy arg = {
		.dst = target.start + page * PAGE,
		.src = (unsigned long)source + page * PAGE,
		.len = PAGE,
	};

	if (copy->tid && gettid() != copy->tid)
		return NULL;
	pthread_barrier_wait(&begin);
	if (ioctl(target.uffd, UFFDIO_COPY, &arg))
		die("UFFDIO_COPY");
	return NULL;
}

static void start(pthread_t *threads, int nr, int stride)
{
	int next = getpid() + 1000;

	for (int i = 0; i < nr; next += stride) {
		copies[i] = (struct copy) { .page = (unsigned long)i, .tid = stride ? next : 0 };
		if (stride)
			aim(next);
		if (pthread_create(&threads[i], NULL, copy_page, &copies[i]))
			die("pthread_create");
		/* Another thread may have got that tid: then try the next one of this kind. */
		if (stride && tgkill(getpid(), next, 0))
			pthread_join(threads[i], NULL);
		else
			i++;
	}
}

/* Wait until @nr copies sleep in their windows. */
static void await_faults(int uffd, int nr)
{
	struct pollfd fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	while (nr) {
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			die("poll");
		while (nr && read(uffd, &msg, sizeof(msg)) == sizeof(msg))
			nr--;
	}
}

int main(int argc, char **argv)
{
	int nr = argc == 3 ? atoi(argv[1]) : 0, stride = argc == 3 ? atoi(argv[2]) : 0,
	    uffd = rig_uffd_open(0), sig;
	pthread_t threads[MAX_THREADS];
	sigset_t signals;

	if (nr < 1 || nr > MAX_THREADS)
		return 64;
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	pthread_barrier_init(&begin, NULL, (unsigned int)nr + 1);
	source = mmap(NULL, (size_t)nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (uffd < 0 || source == MAP_FAILED || rig_target_open(&target, RIG_ANON, (size_t)nr) ||
	    rig_register(uffd, (unsigned long)source, (size_t)nr * PAGE,
			 UFFDIO_REGISTER_MODE_MISSING))
		die("userfaultfd");
	start(threads, nr, stride);
	fprintf(stderr, "ready %d\n", (int)getpid());
	sigwait(&signals, &sig);
	pthread_barrier_wait(&begin);
	await_faults(uffd, nr);
	fprintf(stderr, "open\n");
	sigwait(&signals, &sig);
	if (rig_zeropage(uffd, (unsigned long)source, (size_t)nr * PAGE))
		die("UFFDIO_ZEROPAGE");
	for (int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
