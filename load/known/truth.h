// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a load knows for certain about its own copies and windows, and its JSON.
#ifndef UFFDLOAD_TRUTH_H
#define UFFDLOAD_TRUTH_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "steps/copies.h"

/* Names, order and meaning: docs/design.md, sections 2 and 6. Nothing here comes from the tool's own code. */
enum window_class {
	CLASS_QUIET,
	CLASS_UNRELATED,
	CLASS_LOCKED,
	CLASS_TOLERATED,
	CLASS_REPLACED,
	CLASS_HIDDEN,
	CLASS_FALSE_ALARM,
	CLASS_REAL,
	CLASS_GONE,
	CLASS_BLOCKED,
	CLASS_ABORTED,
	CLASS_UNDETERMINED,
	NR_CLASSES
};

enum snapshot_reason {
	SNAPSHOT_UFFD_FLAGS = 1 << 0,
	SNAPSHOT_SHARED = 1 << 1,
	SNAPSHOT_OPS = 1 << 2,
	SNAPSHOT_FILE = 1 << 3,
	SNAPSHOT_INODE = 1 << 4,
	SNAPSHOT_PGOFF = 1 << 5,
};
#define NR_SNAPSHOT_REASONS 6

enum meaning_reason {
	MEANING_CTX = 1 << 0,
	MEANING_UFFD_FLAGS = 1 << 1,
	MEANING_SHARED = 1 << 2,
	MEANING_OPS = 1 << 3,
	MEANING_INODE = 1 << 4,
	MEANING_OFFSET = 1 << 5,
};
#define NR_MEANING_REASONS 6

enum tolerated_reason {
	TOLERATED_RANGE = 1 << 0,
	TOLERATED_FLAGS = 1 << 1,
	TOLERATED_PROT = 1 << 2,
	TOLERATED_POLICY = 1 << 3,
	TOLERATED_NAME = 1 << 4,
};
#define NR_TOLERATED_REASONS 5

enum window_kind { KIND_ANON, KIND_SHMEM, KIND_HUGETLB, NR_KINDS };

/* The checks under comparison; CHECK_KERNEL is the one that runs. */
enum check { CHECK_OPS_POINTER, CHECK_SNAPSHOT, CHECK_PER_VMA_SEQ, CHECK_PER_MM_SEQ, CHECK_KERNEL, NR_CHECKS };

/* What the running kernel compares after the retry: the stock kernels' own, or that of a kernel built for a test. */
enum kernel_check {
	KERNEL_SNAPSHOT, /* 7.1 and later */
	KERNEL_NONE,	 /* up to 7.0 */
	KERNEL_PER_MM_SEQ,
	KERNEL_PER_VMA_SEQ,
	NR_KERNEL_CHECKS
};

/* One window. */
struct window_truth {
	enum window_kind kind;
	enum window_class class;
	unsigned int snapshot; /* reasons */
	unsigned int meaning;
	unsigned int tolerated;
	bool vma_locked; /* the destination's VMA was write-locked in it */
	bool seq_moved;	 /* mm_lock_seq differs between begin and end */
	bool odd_start;	 /* it began while a writer was in */
	bool external;	 /* the copying process is not the destination's */
};

struct check_truth {
	uint64_t eagain;
	uint64_t real;
	uint64_t spurious;
	uint64_t missed;
};

struct truth {
	enum kernel_check kernel_check;
	bool mmap_lock_only; /* no per-VMA locks, no mm_lock_seq: up to 6.3 */
	struct copies copies;
	uint64_t windows;
	uint64_t class[NR_CLASSES];
	uint64_t kind[NR_KINDS][NR_CLASSES];
	uint64_t snapshot[NR_SNAPSHOT_REASONS];
	uint64_t meaning[NR_MEANING_REASONS];
	uint64_t tolerated[NR_TOLERATED_REASONS];
	struct check_truth checks[NR_CHECKS];
	uint64_t odd_start;
	uint64_t external;
};

/* The first test that holds names the class; for windows whose VMA was taken again. */
enum window_class classify_retaken(const struct window_truth *window, bool unmapped);
bool reached_check(enum window_class class);
/* Whether that kernel's check refuses the window. */
bool kernel_refuses(enum kernel_check check, const struct window_truth *window);

void truth_add_copy(struct truth *truth, int err, uint64_t bytes);
void truth_add_window(struct truth *truth, const struct window_truth *window);

const char *class_name(enum window_class class);
/* NULL at the end. */
extern const char *const kernel_check_names[NR_KERNEL_CHECKS + 1];

/* {"snapshot":N,...} with every name, for the three kinds of reasons. */
struct json_object *reason_names(const char *const *names, unsigned int reasons);
extern const char *const snapshot_reason_names[NR_SNAPSHOT_REASONS + 1];
extern const char *const meaning_reason_names[NR_MEANING_REASONS + 1];
extern const char *const tolerated_reason_names[NR_TOLERATED_REASONS + 1];

/* The head that all loads share: type, schema, load, seed, pid. */
struct json_object *truth_head(const char *load, uint64_t seed);
void truth_put_copy(struct json_object *to, const struct truth *truth);
/*
 * kernel_check, windows, reasons, kinds, checks, odd_start, external, anomalies. What a kernel without per-VMA locks
 * cannot tell is null.
 */
void truth_put_windows(struct json_object *to, const struct truth *truth);

#endif
