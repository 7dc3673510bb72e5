// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Scale: many windows open at once, many processes, many windows in a row, and a tool's start and
 * end. Each prints one JSON line.
 *
 *   grow windows N FILE     N windows of one mm held open while a writer writes, once FILE exists
 *   grow processes N FILE   N processes with a userfaultfd and windows of their own
 *   grow soak N FILE        N windows, as fast as two threads can
 *   grow life COMMAND...    from exec() to the first line of its output, and from SIGINT to its end
 */
#include "area.h"
#include "lib/rig.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WINDOWS 4096
#define ROUNDS 16
#define WINDOWS_A_PROCESS 100
#define SOAK_THREADS 2
#define SOAK_BATCH 512

static void wait_for(const char *name)
{
	while (access(name, F_OK))
		usleep(10000);
}

/* Copy one page of @src to the same place of the target. */
struct copier {
	const struct rig_target *target;
	uint8_t *src;
	uint64_t first, nr;
};

static void copy_page(const struct copier *c, uint64_t i)
{
	struct uffdio_copy arg = {
		.dst = c->target->start + i * PAGE,
		.src = (uint64_t)c->src + i * PAGE,
		.len = PAGE,
	};

	if (ioctl(c->target->uffd, UFFDIO_COPY, &arg))
		die("UFFDIO_COPY");
}

static void *copy_pages(void *data)
{
	const struct copier *c = data;

	for (uint64_t i = 0; i < c->nr; i++)
		copy_page(c, c->first + i);
	return NULL;
}

/* The cost of a writer's mmap+munmap pair: the cheapest round, as in ops.c. */
static uint64_t writer_cost(uint8_t *holes)
{
	uint64_t cheapest = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin = now_ns(), cost;

		for (int i = 0; i < HOLES; i++)
			fill_hole(holes, i);
		cost = (now_ns() - begin) / HOLES;
		if (!round || cost < cheapest)
			cheapest = cost;
	}
	return cheapest;
}

/* Read fault events until @nr copies sleep in their windows. */
static void await_faults(int nested, uint64_t nr)
{
	struct pollfd fd = { .fd = nested, .events = POLLIN };
	struct uffd_msg msg;

	while (nr) {
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			die("poll");
		while (nr && read(nested, &msg, sizeof(msg)) == sizeof(msg))
			nr--;
	}
}

static void windows(uint64_t nr)
{
	static pthread_t threads[MAX_WINDOWS];
	static struct copier copiers[MAX_WINDOWS];
	struct rig_target target;
	uint8_t *src = map_area(nr, MAP_NORESERVE), *holes = map_holes();
	int nested = rig_uffd_open(0);
	pthread_attr_t attr;
	uint64_t alone, cost;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	if (nested < 0 || rig_target_open(&target, RIG_ANON, nr) ||
	    rig_register(nested, (uint64_t)src, nr * PAGE, UFFDIO_REGISTER_MODE_MISSING))
		die("userfaultfd");
	alone = writer_cost(holes);
	for (uint64_t i = 0; i < nr; i++) {
		copiers[i] = (struct copier) { .target = &target, .src = src, .first = i, .nr = 1 };
		if (pthread_create(&threads[i], &attr, copy_pages, &copiers[i]))
			die("pthread_create");
	}
	await_faults(nested, nr);
	cost = writer_cost(holes);
	if (rig_zeropage(nested, (uint64_t)src, nr * PAGE))
		die("UFFDIO_ZEROPAGE");
	for (uint64_t i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	printf("{\"type\":\"scale\",\"what\":\"windows\",\"open\":%llu,"
	       "\"writer_alone\":%llu,\"writer\":%llu}\n",
	       (unsigned long long)nr, (unsigned long long)alone, (unsigned long long)cost);
}

static void copy_unmapped(uint64_t nr)
{
	struct rig_target target;
	struct copier c = { .target = &target, .src = map_area(nr, MAP_NORESERVE), .nr = nr };

	if (rig_target_open(&target, RIG_ANON, nr))
		die("userfaultfd");
	copy_pages(&c);
	rig_target_close(&target);
}

/* Only the first one is traced; it prints its number. */
static void processes(uint64_t nr, const char *go)
{
	int status, failed = 0, gate[2];
	char none;

	/*
	 * They sleep without polling, which would be most of the work of a guest that counts
	 * instructions.
	 */
	if (pipe(gate))
		die("pipe");
	for (uint64_t i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid) {
			if (!i)
				printf("first %d\n", (int)pid);
			fflush(stdout);
			continue;
		}
		close(gate[1]);
		if (read(gate[0], &none, 1))
			die("read");
		copy_unmapped(WINDOWS_A_PROCESS);
		_exit(0);
	}
	wait_for(go);
	close(gate[1]);
	while (wait(&status) > 0)
		failed |= status;
	if (failed)
		die("a process");
	printf("{\"type\":\"scale\",\"what\":\"processes\","
	       "\"processes\":%llu,\"windows_each\":%d}\n",
	       (unsigned long long)nr, WINDOWS_A_PROCESS);
}

static void *soak_thread(void *data)
{
	struct copier *c = data;
	uint64_t left = c->nr;

	while (left) {
		c->nr = left < SOAK_BATCH ? left : SOAK_BATCH;
		if (madvise(c->src, SOAK_BATCH * PAGE, MADV_DONTNEED) ||
		    madvise((void *)c->target->start, SOAK_BATCH * PAGE, MADV_DONTNEED))
			die("madvise");
		copy_pages(c);
		left -= c->nr;
	}
	return NULL;
}

static void soak(uint64_t nr)
{
	struct rig_target targets[SOAK_THREADS];
	struct copier copiers[SOAK_THREADS];
	pthread_t threads[SOAK_THREADS];
	uint64_t begin = now_ns();

	for (int i = 0; i < SOAK_THREADS; i++) {
		if (rig_target_open(&targets[i], RIG_ANON, SOAK_BATCH))
			die("userfaultfd");
		copiers[i] = (struct copier) {
			.target = &targets[i],
			.src = map_area(SOAK_BATCH, MAP_NORESERVE),
			.nr = nr / SOAK_THREADS + (i ? 0 : nr % SOAK_THREADS),
		};
		if (pthread_create(&threads[i], NULL, soak_thread, &copiers[i]))
			die("pthread_create");
	}
	for (int i = 0; i < SOAK_THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("{\"type\":\"scale\",\"what\":\"soak\",\"windows\":%llu,\"elapsed_ns\":%llu}\n",
	       (unsigned long long)nr, (unsigned long long)(now_ns() - begin));
}

/* The CPU time of @pid so far, in ns: most of the elapsed time it waits for grace periods. */
static uint64_t cpu_ns(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		die("the command's CPU time");
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static uint64_t usage_ns(const struct rusage *r)
{
	return ((uint64_t)(r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000000ULL +
		(uint64_t)(r->ru_utime.tv_usec + r->ru_stime.tv_usec)) *
	       1000ULL;
}

static void life(char **command)
{
	uint64_t begin = now_ns(), started, start_cpu, stopped;
	struct rusage usage;
	int out[2], status;
	char byte;
	pid_t pid;

	if (pipe(out))
		die("pipe");
	pid = fork();
	if (!pid) {
		dup2(out[1], STDOUT_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	close(out[1]);
	if (pid < 0 || read(out[0], &byte, 1) != 1)
		die(command[0]);
	started = now_ns();
	start_cpu = cpu_ns(pid);
	/* Read the rest of that line, and let the tool settle. */
	usleep(100000);
	stopped = now_ns();
	kill(pid, SIGINT);
	while (read(out[0], &byte, 1) == 1)
		;
	if (wait4(pid, &status, 0, &usage) != pid || status)
		die("the command");
	printf("{\"type\":\"scale\",\"what\":\"life\",\"start_ns\":%llu,"
	       "\"start_cpu_ns\":%llu,\"stop_ns\":%llu,\"cpu_ns\":%llu}\n",
	       (unsigned long long)(started - begin), (unsigned long long)start_cpu,
	       (unsigned long long)(now_ns() - stopped), (unsigned long long)usage_ns(&usage));
}

int main(int argc, char **argv)
{
	uint64_t nr = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "life") && argc > 2) {
		life(&argv[2]);
		return 0;
	}
	if (argc < 4 || !nr)
		return 64;
	if (!strcmp(what, "processes")) {
		processes(nr, argv[3]);
		return 0;
	}
	wait_for(argv[3]);
	if (!strcmp(what, "windows") && nr <= MAX_WINDOWS)
		windows(nr);
	else if (!strcmp(what, "soak"))
		soak(nr);
	else
		return 64;
	return 0;
}
