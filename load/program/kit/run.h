// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One run of a load: what its threads and processes share, and the clock that ends it.
#ifndef UFFDLOAD_RUN_H
#define UFFDLOAD_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "program/kit/params.h"
#include "program/kit/tally.h"

struct shared; /* run.c */

struct run {
	const char *name; /* of the load */
	struct params params;
	struct shared *shared;
	unsigned int nr_tallies; /* given out in this pass */
	uint64_t passes;
	int64_t active_ns; /* the passes' threads, without set-up */
	int64_t since;	   /* of the current pass */
	int over_fd;	   /* eventfd: readable when handlers must end */
	pthread_t clock;
};

/* The run must end: time is up, a signal, or a failure. Faults are still served. */
bool run_stopped(const struct run *run);
/* All pages of this pass were touched, or the run must end: writers and the like stop. */
bool run_pass_over(const struct run *run);
/* Print the message and end the run. */
void run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool run_failed(const struct run *run);

/* For the thread that conducts the pass, before it forks or starts the tally's user. */
struct tally *run_tally(struct run *run);
/*
 * The begin of what is measured. Threads are started before, and wait: mapping a stack is a write
 * to the mm, which copies under way would see.
 */
void run_begin_pass(struct run *run);
void run_wait_begin(const struct run *run);
/* Its end: all pages were touched. */
void run_end_pass(struct run *run);
/* No thread is left that could fault or wait for its event to be read: handlers end. */
void run_end_service(struct run *run);

/* The child dies with its parent. As fork(), -errno for -1. */
pid_t run_fork(void);
/* Fails the run unless the child exits with 0. */
void run_reap(struct run *run, pid_t pid, const char *who);

/* New flags, no tallies given out; over_fd is open. 0 or -errno, with a message. */
int run_prepare_pass(struct run *run);
/* The memory that all processes of the run share: 0 or -ENOMEM. */
int run_init(struct run *run);
/* The sum of all tallies. */
void run_sum(const struct run *run, struct tally *sum);

/*
 * The clock: a thread that ends the run when its time is up or at a signal, and the program when
 * nothing has moved for a minute. It blocks the signals first, for all threads to inherit that. 0
 * or -errno.
 */
int run_start_clock(struct run *run);
void run_stop_clock(struct run *run);

#endif
