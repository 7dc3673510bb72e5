// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The entry points and options of the loads whose windows are known for certain.
#ifndef UFFDLOAD_LOAD_H
#define UFFDLOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "steps/process.h"
#include "known/truth.h"

#define EXIT_USAGE 64

struct exact_options {
	uint64_t runs;
	uint64_t seed;
	const char *only; /* names with commas between, or NULL */
	bool wait;
	enum truth_kernel kernel_check;
	bool mmap_lock_only;
};

struct random_options {
	uint64_t windows;
	uint64_t seed;
	unsigned int at_once;
	bool wait;
	enum truth_kernel kernel_check;
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
	enum truth_kernel kernel_check;
	bool mmap_lock_only;
};

int causes_main(const struct causes_options *options);
int exact_main(const struct exact_options *options);
int exact_list(bool json);
int random_main(const struct random_options *options);
int free_main(const struct free_options *options);
int writers_main(const struct writers_options *options);

#endif
