// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One run of a load: what its threads and processes share, their tallies, and the clock.
#ifndef UFFDLOAD_RUN_H
#define UFFDLOAD_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steps/copies.h"
#include "lib/hist.h"
#include "steps/prng.h"
#include "program/program.h"

/* What is counted beside the copies. */
enum count {
	COUNT_FAULTS,	 /* page faults that a handler was told of */
	COUNT_WRITES,	 /* of the writers */
	COUNT_ZEROPAGES, /* UFFDIO_ZEROPAGE */
	COUNT_DEVICE,	 /* buffers mapped and unmapped */
	COUNT_BALLOON,	 /* pieces given back */
	COUNT_REMAPS,
	COUNT_PREFETCHES, /* turns of the prefetcher */
	COUNT_ALLOCATIONS,
	COUNT_FORKS,	 /* always 0: of a load that is gone; a member of schema 1 */
	COUNT_SWAPPED,	 /* source pages that were in swap when copying began */
	COUNT_ZERO_SEEN, /* pages read as zeroes where that is allowed: given back */
	COUNT_FATAL,	 /* likewise */
	NR_COUNTS
};

/* One thread's; it lies in memory that all processes of the run share. */
struct tally {
	struct copies copies;
	uint64_t latency[HIST_BUCKETS];
	uint64_t latency_max;
	uint64_t chains; /* pages copied at last after EAGAIN */
	uint64_t longest;
	uint64_t counts[NR_COUNTS];
};

struct shared; /* run.c */

/* Threads that end together. */
#define CREW_MAX 256
struct crew {
	pthread_t threads[CREW_MAX];
	unsigned int nr;
};

struct run {
	const struct prod *prod;
	struct params params;
	struct shared *shared;
	unsigned int nr_tallies; /* given out in this pass */
	uint64_t passes;
	int64_t active_ns; /* the passes' threads, without set-up */
	int64_t since;	   /* of the current pass */
	int over_fd;	   /* eventfd: readable when handlers are to end */
};

/* The run is to end: time is up, a signal, or a failure. Whoever faults goes no further; faults are still served. */
bool run_stopped(const struct run *run);
/* All pages of this pass were touched, or the run is to end: whatever disturbs the copies ends. */
bool run_pass_over(const struct run *run);
/* Message, and the end of the run. */
void run_fail(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool run_failed(const struct run *run);

/* From the thread that conducts the pass, before it forks or starts whoever uses it. */
struct tally *run_tally(struct run *run);
/*
 * Around what is measured. Threads are started before it begins, and wait: mapping a stack is a write to the mm, and
 * copies under way would see it.
 */
void run_begin_pass(struct run *run);
void run_wait_begin(const struct run *run);
/* All pages were touched: writers and the like end. */
void run_end_pass(struct run *run);
/* Nobody is left who could fault or wait for an event to be read: handlers end. */
void run_end_service(struct run *run);

void tally_copy(struct tally *tally, int err, int64_t copied);
void tally_latency(struct tally *tally, int64_t ns);
/* A page was copied after so many EAGAIN. */
void tally_chain(struct tally *tally, uint64_t failures);

/* 0 or -errno. */
int crew_start(struct crew *crew, void *(*work)(void *), void *data);
void crew_join(struct crew *crew);
/* The child dies with its parent. As fork(), -errno for -1. */
pid_t run_fork(void);
/* Fails the run unless the child exits with 0. */
void run_reap(struct run *run, pid_t pid, const char *who);

#endif
