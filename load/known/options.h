// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Options that several loads of known windows have: a row of struct s each, and their defaults.
#ifndef UFFDLOAD_OPTIONS_H
#define UFFDLOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "known/truth.h"
#include "steps/load.h"

#define DEFAULT_SEED 1

#define RUNS(s, limit) NUMBER_SETTING(s, runs, "runs", "N", 1, (limit), "Do each of them N times")
#define SEED(s) \
	NUMBER_SETTING(s, seed, "seed", "S", 0, UINT64_MAX, "Seed of the order and of all choices")
#define WAIT(s)                                                                                    \
	FLAG_SETTING(s, wait, "wait",                                                              \
		     "After all set-up print \"ready PID\" on stderr and wait for SIGUSR1 before " \
		     "the first UFFDIO_COPY")
#define KERNEL_CHECK(s)                                                                             \
	WORD_SETTING(s, kernel_check, "kernel-check", "CHECK", truth_kernel_names,                  \
		     "What the running kernel compares after the retry: snapshot (7.1 and later), " \
		     "none (up to 7.0), address, per_mm_seq or per_vma_seq (kernels built for a test)")
#define LOCKS(s)                                                                                    \
	WORD_SETTING(s, locks, "locks", "LOCKS", truth_lock_names,                                  \
		     "What UFFDIO_COPY of the running kernel locks: vma (the VMA, 6.9 and later), " \
		     "both (mmap_lock; writers lock VMAs too, 6.4 to 6.8) or mmap (mmap_lock alone)")

#endif
