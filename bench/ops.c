// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The measured operations: each is done many times, and the cost of one is printed. Time is
 * CLOCK_MONOTONIC's: in a guest that counts instructions (tests/vm/run --icount) a nanosecond is an
 * instruction, and the cheapest of many short rounds has no interrupt in it. The preparation of a
 * round is not measured.
 */
#include "area.h"
#include "lib/rig.h"

#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH 64 /* operations a round, and pages of the areas */
#define ROUNDS 96
#define MANY_VMAS 10000
#define PAUSE_US 20000 /* the reader wakes every 100,000 */

static struct {
	struct rig_target target;
	uint8_t *mapped;   /* BATCH pages that are there */
	uint8_t *unmapped; /* BATCH pages that are not */
	uint8_t *other;	   /* BATCH pages that no copy uses */
	uint8_t *holes;
	struct rig *rig; /* holds a window open */
} bench;

static void drop(void *p, size_t pages)
{
	if (madvise(p, pages * PAGE, MADV_DONTNEED))
		die("madvise");
}

static void copy(const uint8_t *src, int at, size_t pages)
{
	struct uffdio_copy arg = {
		.dst = bench.target.start + (uint64_t)at * PAGE,
		.src = (uint64_t)src + (uint64_t)at * PAGE,
		.len = pages * PAGE,
	};

	if (ioctl(bench.target.uffd, UFFDIO_COPY, &arg))
		die("UFFDIO_COPY");
}

static void empty_target(void)
{
	drop((void *)bench.target.start, BATCH);
}

static void empty_both(void)
{
	empty_target();
	drop(bench.unmapped, BATCH);
}

static void nothing(void)
{
}

static void copy_mapped(int i)
{
	copy(bench.mapped, i, 1);
}

static void copy_window(int i)
{
	copy(bench.unmapped, i, 1);
}

static void copy_64(int i)
{
	(void)i;
	copy(bench.mapped, 0, BATCH);
}

/* mprotect() to the same protection: a write section that touches no VMA. */
static void copy_window_writer(int i)
{
	struct rig_copy c = { .uffd = bench.target.uffd,
			      .dst = bench.target.start + (uint64_t)i * PAGE };

	if (rig_start(bench.rig, &c) != 1 || mprotect(bench.other, PAGE, PROT_READ | PROT_WRITE) ||
	    rig_go_on(bench.rig, RIG_FILL))
		die("a held window");
}

static void mmap_munmap(int i)
{
	fill_hole(bench.holes, i);
}

static void do_mprotect(int i)
{
	if (mprotect(bench.other, BATCH * PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ))
		die("mprotect");
}

static void madvise_dontneed(int i)
{
	drop(bench.mapped + BATCH * PAGE + (size_t)i * PAGE, 1);
}

static void madvise_random(int i)
{
	if (madvise(bench.other, BATCH * PAGE, i & 1 ? MADV_NORMAL : MADV_RANDOM))
		die("madvise");
}

static void empty_other(void)
{
	drop(bench.other, BATCH);
}

static void minor_fault(int i)
{
	((volatile uint8_t *)bench.other)[(size_t)i * PAGE] = 1;
}

static void untouched(int i)
{
	(void)i;
	syscall(SYS_getppid);
}

static uint8_t *many;

/* Every other page protected: as many VMAs as pages. */
static void map_many(void)
{
	if (many)
		return;
	many = map_area(MANY_VMAS, 0);
	for (size_t i = 0; i < MANY_VMAS; i += 2)
		if (mprotect(many + i * PAGE, PAGE, PROT_READ))
			die("mprotect");
}

static void fork_exec(int i)
{
	pid_t pid = fork();
	int status;

	(void)i;
	if (pid < 0)
		die("fork");
	if (!pid) {
		execl("/proc/self/exe", "ops", "exit", (char *)NULL);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("the child");
}

static const struct op {
	const char *name;
	void (*prepare)(void); /* a round */
	void (*once)(int i);
	int batch;  /* operations a round */
	int rounds; /* measured; a quarter as many warm up */
	bool two_threads;
} ops[] = {
	{ "copy_mapped", empty_target, copy_mapped, BATCH, ROUNDS, false },
	{ "copy_window", empty_both, copy_window, BATCH, ROUNDS, false },
	{ "copy_64_pages", empty_target, copy_64, 1, ROUNDS, false },
	{ "copy_window_writer", empty_target, copy_window_writer, 8, ROUNDS, true },
	{ "mmap_munmap", nothing, mmap_munmap, HOLES, ROUNDS, false },
	{ "mprotect", nothing, do_mprotect, BATCH, ROUNDS, false },
	{ "madvise_dontneed", nothing, madvise_dontneed, BATCH, ROUNDS, false },
	{ "madvise_random", nothing, madvise_random, BATCH, ROUNDS, false },
	{ "minor_fault", empty_other, minor_fault, BATCH, ROUNDS, false },
	{ "fork_exec_10000_vmas", map_many, fork_exec, 1, 5, false },
	{ "getppid", nothing, untouched, BATCH, ROUNDS, false },
};
#define NR_OPS (sizeof(ops) / sizeof(ops[0]))

static double run_round(const struct op *op)
{
	uint64_t begin;

	op->prepare();
	begin = now_ns();
	for (int i = 0; i < op->batch; i++)
		op->once(i);
	return (double)(now_ns() - begin) / op->batch;
}

/*
 * Pages that merge with no neighbour: splits and merges would vary the cost by some hundred
 * instructions.
 */
static uint8_t *map_alone(size_t pages)
{
	uint8_t *area = map_area(pages + 2, 0);

	if (mprotect(area, PAGE, PROT_NONE) || mprotect(area + (pages + 1) * PAGE, PAGE, PROT_NONE))
		die("mprotect");
	return area + PAGE;
}

static void set_up(void)
{
	if (rig_target_open(&bench.target, RIG_ANON, BATCH) || rig_create(&bench.rig, "b"))
		die("userfaultfd");
	/* The rest is for madvise_dontneed. */
	bench.mapped = map_area(2 * BATCH, 0);
	memset(bench.mapped, 0x5a, 2 * BATCH * PAGE);
	bench.unmapped = map_area(BATCH, 0);
	bench.other = map_alone(BATCH);
	bench.holes = map_holes();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The mean of the middle half: some rounds cost some hundred instructions more than the others. */
static double middle(const double *sorted, int n)
{
	double sum = 0;

	for (int i = n / 4; i < n - n / 4; i++)
		sum += sorted[i];
	return sum / (n - n / 4 - n / 4);
}

/*
 * The cheapest round: the others may contain work of RCU and of slabs. With a second thread the
 * middle ones, because rounds then also differ by which thread waits. The pauses keep most rounds
 * free of a reader that is busy with the events of the last.
 */
static void measure(const struct op *op, const char *config)
{
	double rounds[ROUNDS] = { 0 };

	/* A reader of events may still be busy with the operation before. */
	sleep(3);
	for (int i = 0; i < (op->rounds + 3) / 4; i++)
		run_round(op);
	for (int i = 0; i < op->rounds; i++) {
		usleep(PAUSE_US);
		rounds[i] = run_round(op);
	}
	qsort(rounds, (size_t)op->rounds, sizeof(*rounds), compare);
	printf("{\"config\":\"%s\",\"op\":\"%s\",\"cost\":%.1f}\n", config, op->name,
	       op->two_threads ? middle(rounds, op->rounds) : rounds[0]);
	fflush(stdout);
}

/* Wait for the file @name: its maker has then attached what is measured. */
static void wait_for(const char *name)
{
	while (access(name, F_OK))
		usleep(10000);
}

int main(int argc, char **argv)
{
	const char *config = argc > 1 ? argv[1] : "off";

	if (!strcmp(config, "exit"))
		return 0;
	set_up();
	if (argc > 2)
		wait_for(argv[2]);
	for (size_t i = 0; i < NR_OPS; i++)
		measure(&ops[i], config);
	/* A traced process with recent windows, to measure processes that are not traced. */
	if (argc > 3)
		wait_for(argv[3]);
	return 0;
}
