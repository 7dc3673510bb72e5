// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * hold N STRIDE: N threads sleep in retry windows of their own UFFDIO_COPYs. Their tids differ by
 * multiples of STRIDE (which needs a high pid_max), or are arbitrary with 0. It prints "ready PID"
 * to stderr, waits for SIGUSR1 to copy, prints "open" when all sleep, and waits for SIGUSR2 to let
 * them go on. They begin and go on one after the other, or the kernel would skip programs of the tool.
 * Exit status 0: every copy succeeded.
 */
#include "lib/rig.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define MAX_THREADS 8400
#define STACK 65536

static struct rig_target target;
static unsigned char *source;
static sem_t finished;

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
	sem_t turn;
} copies[MAX_THREADS];

/* A thread that ended would unmap its stack, in the windows of the others. */
static void *copy_page(void *data)
{
	struct copy *copy = data;
	unsigned long page = copy->page;
	struct uffdio_copy arg = {
		.dst = target.start + page * PAGE,
		.src = (unsigned long)source + page * PAGE,
		.len = PAGE,
	};

	if (copy->tid && gettid() != copy->tid)
		return NULL;
	sem_wait(&copy->turn);
	if (ioctl(target.uffd, UFFDIO_COPY, &arg))
		die("UFFDIO_COPY");
	sem_post(&finished);
	for (;;)
		pause();
}

static void start(pthread_t *threads, int nr, int stride)
{
	int next = 10000;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (int i = 0; i < nr; next += stride) {
		copies[i] = (struct copy) { .page = (unsigned long)i, .tid = stride ? next : 0 };
		sem_init(&copies[i].turn, 0, 0);
		if (stride)
			aim(next);
		if (pthread_create(&threads[i], &attr, copy_page, &copies[i]))
			die("pthread_create");
		/* Another thread may have got that tid: then try the next one of this kind. */
		if (stride && tgkill(getpid(), next, 0))
			pthread_join(threads[i], NULL);
		else
			i++;
	}
}

/* Wait until one more copy sleeps in its window. */
static void await_fault(int uffd)
{
	struct pollfd fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	while (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			die("poll");
}

int main(int argc, char **argv)
{
	int nr = argc == 3 ? atoi(argv[1]) : 0, stride = argc == 3 ? atoi(argv[2]) : 0,
	    uffd = rig_uffd_open(0), sig;
	static pthread_t threads[MAX_THREADS];
	sigset_t signals;

	if (nr < 1 || nr > MAX_THREADS)
		return 64;
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	sem_init(&finished, 0, 0);
	source = mmap(NULL, (size_t)nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (uffd < 0 || source == MAP_FAILED || rig_target_open(&target, RIG_ANON, (size_t)nr) ||
	    rig_register(uffd, (unsigned long)source, (size_t)nr * PAGE,
			 UFFDIO_REGISTER_MODE_MISSING))
		die("userfaultfd");
	start(threads, nr, stride);
	fprintf(stderr, "ready %d\n", (int)getpid());
	sigwait(&signals, &sig);
	for (int i = 0; i < nr; i++) {
		sem_post(&copies[i].turn);
		await_fault(uffd);
	}
	fprintf(stderr, "open\n");
	sigwait(&signals, &sig);
	for (int i = 0; i < nr; i++) {
		if (rig_zeropage(uffd, (unsigned long)source + (unsigned long)i * PAGE, PAGE))
			die("UFFDIO_ZEROPAGE");
		sem_wait(&finished);
	}
	return 0;
}
