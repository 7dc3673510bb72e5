// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The state of `uffdload free`: its copiers and its writers.
#ifndef UFFDLOAD_FREE_H
#define UFFDLOAD_FREE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "known/free/free_log.h"
#include "known/truth.h"
#include "steps/arena.h"
#include "steps/prng.h"

/* A writer's own mapping. */
#define SCRATCH_PAGES 8
#define COPIERS_MAX 256

enum free_what { FREE_UNRELATED, FREE_BENIGN, FREE_REPLACED, FREE_NONE };

/* The words of --what, NULL at the end. */
extern const char *const free_what_words[];

struct free_options {
	unsigned int pages;
	unsigned int copiers;
	unsigned int writers;
	uint64_t rate; /* write operations a second of each writer, 0: as fast as they can */
	enum free_what what;
	uint64_t seed;
	uint64_t duration_ms; /* 0: until a signal */
	bool wait;
	bool handled;
	const char *log; /* NULL: none */
};

struct free_run;

struct copier {
	struct free_run *run;
	uint64_t dst;
	uint64_t src;
	struct truth truth;
	uint64_t uncertain; /* copies that may have had a window or not */
	uint64_t without;   /* copies that had none for certain */
	/* Of the present copy, by the handler; opened is 0 as long as there is no event. */
	_Atomic uint64_t opened;
	_Atomic uint64_t resolved;
	struct free_log log;
	uint64_t chains; /* pages that were copied after failures */
	uint64_t longest;
	pthread_t thread;
};

struct writer {
	struct free_run *run;
	uint64_t scratch;
	struct prng prng;
	uint64_t writes;
	int err;
	struct free_log log;
	pthread_t thread;
};

struct free_run {
	const struct free_options *options;
	struct arena arena;
	int uffd;
	int nested; /* with a handler: the second userfaultfd, of the sources; else -1 */
	struct copier *copiers;
	struct writer *writers;
	unsigned int nr_copiers; /* started */
	unsigned int nr_writers;
	atomic_bool stop;
	atomic_bool handled; /* no copy is left, the handler may end */
	bool has_handler;
	pthread_t handler;
	int handler_err;
	struct free_log log; /* when the main thread starts and joins threads */
	int64_t elapsed_ns;
};

/*
 * The threads' functions: until stop is set, or, of a writer, until a write fails; the handler's
 * until the copiers have ended.
 */
void *free_copy(void *copier);
void *free_write(void *writer);
void *free_handle(void *run);

#endif
