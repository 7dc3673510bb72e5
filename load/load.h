// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The loads' entry points and options, and what all of them do to their process first.
#ifndef UFFDLOAD_LOAD_H
#define UFFDLOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "truth.h"

#define EXIT_USAGE 64

struct exact_options {
	uint64_t runs;
	uint64_t seed;
	const char *only; /* names with commas between, or NULL */
	bool wait;
	enum kernel_check kernel_check;
	bool mmap_lock_only;
};

struct random_options {
	uint64_t windows;
	uint64_t seed;
	unsigned int at_once;
	bool wait;
	enum kernel_check kernel_check;
	bool mmap_lock_only;
};

enum free_what { FREE_UNRELATED, FREE_BENIGN, FREE_REPLACED, FREE_NONE, NR_FREE };

struct free_options {
	unsigned int pages;
	unsigned int copiers;
	unsigned int writers;
	uint64_t rate; /* write operations a second of each writer, 0: as fast as they can */
	enum free_what what;
	uint64_t seed;
	uint64_t duration_ms; /* 0: until a signal */
	bool wait;
};

struct writers_options {
	uint64_t runs;
	bool wait;
};

struct causes_options {
	uint64_t runs;
	bool wait;
	enum kernel_check kernel_check;
	bool mmap_lock_only;
};

int causes_main(const struct causes_options *options);
int exact_main(const struct exact_options *options);
int exact_list(bool json);
int random_main(const struct random_options *options);
int free_main(const struct free_options *options);
int writers_main(const struct writers_options *options);

/* --- process.c ---------------------------------------------------------------------------------------------- */

/* Take away what would write mmap_lock by itself, or map source pages behind a load's back. */
void prepare_process(void);
/* False, and a message, without the right to a userfaultfd that serves the kernel's faults too. */
bool may_use_uffd(void);
/* Say "ready PID" on stderr and wait for SIGUSR1. */
void wait_for_go(void);
/* A CPU to run on beside the first one: -1 when there is none. */
int second_cpu(void);
int first_cpu(void);

#endif
