// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The state of `uffdload busy`: its copiers, the writer, and the process that owns the memory.
#ifndef UFFDLOAD_BUSY_H
#define UFFDLOAD_BUSY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "known/truth.h"
#include "steps/arena.h"

struct busy_options {
	unsigned int copiers;
	uint64_t pages; /* of all copiers together */
	unsigned int pages_per_copy;
	enum truth_kind kind;
	bool writer;
	bool handler;
	bool wait;
};

struct busy_run;

/* Lies in memory that the handler shares with the owner. */
struct busy_copier {
	struct busy_run *run;
	uint64_t dst; /* a VMA of its own */
	uint64_t src;
	uint64_t left; /* pages that it still has to copy */
	struct copies copies;
	int err;
	int owner;   /* socket: asks the owner to empty the destination; -1: this process owns it */
	int handler; /* its other end, in the owner */
	pthread_t thread;
	pthread_t servant; /* of the owner: empties the destination when asked */
};

struct busy_run {
	const struct busy_options *options;
	size_t page; /* bytes, of the destination */
	size_t area; /* pages of a copier's destination, which is emptied when it is full */
	struct arena arena;
	int uffd;
	uint64_t scratch; /* the writer's own page */
	struct busy_copier *copiers;
	/* A pipe that nobody writes to: all threads start when its last writing end is closed. */
	int gate[2];
	pid_t handler;
	/* Threads that end may unmap their stacks, so none ends before all have copied. */
	pthread_barrier_t all_copied;
	pthread_t writer;
	atomic_bool stop; /* the writer */
	uint64_t writes;
	int writer_err;
	int64_t elapsed_ns;
};

/* Make the destination of this copier empty again, in the process that owns it. 0 or -errno. */
int busy_empty(const struct busy_copier *copier);
/* Threads that wait for the gate and then copy; busy_end_copiers() waits for them. 0 or -errno. */
int busy_start_copiers(struct busy_run *run);
void busy_end_copiers(struct busy_run *run);
int busy_start_writer(struct busy_run *run);
void busy_end_writer(struct busy_run *run);
/* Wait until busy_open_gate() was called in the owner. 0 or -errno. */
int busy_wait_gate(const struct busy_run *run);
void busy_open_gate(struct busy_run *run);

/*
 * The copiers run in another process, a child that has the userfaultfd and the sources by fork().
 * Call it before any thread exists. 0 or -errno.
 */
int busy_start_handler(struct busy_run *run);
/* Wait until all is copied. 0 or -errno. */
int busy_end_handler(struct busy_run *run);

#endif
