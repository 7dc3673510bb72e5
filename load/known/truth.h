// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The truth: what a load knows for certain about its own copies and windows, and its JSON.
/*
 * Classes, checks and reasons are listed and named here a second time, on purpose: the tool is
 * tested against this list, so nothing here comes from the tool's code. Every name has the prefix
 * truth. What the words mean is in docs/reference/classes.md and docs/reference/json.md.
 */
#ifndef UFFDLOAD_TRUTH_H
#define UFFDLOAD_TRUTH_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "steps/copies.h"

enum truth_class {
	TRUTH_QUIET,
	TRUTH_UNRELATED,
	TRUTH_LOCKED,
	TRUTH_TOLERATED,
	TRUTH_REPLACED,
	TRUTH_HIDDEN,
	TRUTH_FALSE_ALARM,
	TRUTH_REAL,
	TRUTH_GONE,
	TRUTH_BLOCKED,
	TRUTH_ABORTED,
	TRUTH_UNDETERMINED,
	NR_TRUTH_CLASSES
};

enum truth_snapshot {
	TRUTH_SNAPSHOT_UFFD_FLAGS = 1 << 0,
	TRUTH_SNAPSHOT_SHARED = 1 << 1,
	TRUTH_SNAPSHOT_OPS = 1 << 2,
	TRUTH_SNAPSHOT_FILE = 1 << 3,
	TRUTH_SNAPSHOT_INODE = 1 << 4,
	TRUTH_SNAPSHOT_PGOFF = 1 << 5,
};
#define NR_TRUTH_SNAPSHOT 6

enum truth_meaning {
	TRUTH_MEANING_CTX = 1 << 0,
	TRUTH_MEANING_UFFD_FLAGS = 1 << 1,
	TRUTH_MEANING_SHARED = 1 << 2,
	TRUTH_MEANING_OPS = 1 << 3,
	TRUTH_MEANING_INODE = 1 << 4,
	TRUTH_MEANING_OFFSET = 1 << 5,
};
#define NR_TRUTH_MEANING 6

enum truth_tolerated {
	TRUTH_TOLERATED_RANGE = 1 << 0,
	TRUTH_TOLERATED_FLAGS = 1 << 1,
	TRUTH_TOLERATED_PROT = 1 << 2,
	TRUTH_TOLERATED_POLICY = 1 << 3,
	TRUTH_TOLERATED_NAME = 1 << 4,
};
#define NR_TRUTH_TOLERATED 5

enum truth_kind { TRUTH_KIND_ANON, TRUTH_KIND_SHMEM, TRUTH_KIND_HUGETLB, NR_TRUTH_KINDS };

/* The checks under comparison; TRUTH_CHECK_KERNEL is that of the running kernel. */
enum truth_check {
	TRUTH_CHECK_OPS_POINTER,
	TRUTH_CHECK_SNAPSHOT,
	TRUTH_CHECK_ADDRESS,
	TRUTH_CHECK_PER_VMA_SEQ,
	TRUTH_CHECK_PER_MM_SEQ,
	TRUTH_CHECK_KERNEL,
	NR_TRUTH_CHECKS
};

/* What the running kernel compares after the retry; the last three in kernels built for a test. */
enum truth_kernel {
	TRUTH_KERNEL_SNAPSHOT, /* 7.1 and later */
	TRUTH_KERNEL_NONE,     /* up to 7.0 */
	TRUTH_KERNEL_ADDRESS,  /* alone in that it compares for hugetlb, too */
	TRUTH_KERNEL_PER_MM_SEQ,
	TRUTH_KERNEL_PER_VMA_SEQ,
	NR_TRUTH_KERNELS
};

/* One window. */
struct truth_window {
	enum truth_kind kind;
	enum truth_class class;
	unsigned int snapshot; /* reasons */
	unsigned int meaning;
	unsigned int tolerated;
	bool vma_locked; /* the destination's VMA was write-locked in it */
	bool seq_moved;	 /* mm_lock_seq differs between begin and end */
	bool odd_start;	 /* it began inside a write section */
	bool external;	 /* the copying process is not the destination's */
};

/* What UFFDIO_COPY locks. */
enum truth_locks {
	TRUTH_LOCKS_VMA,  /* the destination's VMA: 6.9 and later */
	TRUTH_LOCKS_MMAP, /* mmap_lock; no VMA has a lock, and there is no mm_lock_seq: up to 6.3 */
	TRUTH_LOCKS_BOTH, /* mmap_lock; writers lock VMAs too: 6.4 to 6.8 */
};

struct truth_verdicts {
	uint64_t eagain;
	uint64_t real;
	uint64_t spurious;
	uint64_t missed;
};

struct truth {
	enum truth_kernel kernel_check;
	enum truth_locks locks;
	struct copies copies;
	uint64_t windows;
	uint64_t class[NR_TRUTH_CLASSES];
	uint64_t kind[NR_TRUTH_KINDS][NR_TRUTH_CLASSES];
	uint64_t snapshot[NR_TRUTH_SNAPSHOT];
	uint64_t meaning[NR_TRUTH_MEANING];
	uint64_t tolerated[NR_TRUTH_TOLERATED];
	struct truth_verdicts checks[NR_TRUTH_CHECKS];
	uint64_t odd_start;
	uint64_t external;
};

/* The class of a window that reached the relock: the first test that holds names it. */
enum truth_class truth_classify(const struct truth_window *window, bool unmapped);
/* Whether windows of this class end at the kernel's check, so that each check has a verdict. */
bool truth_reached_check(enum truth_class class);
/* Whether this check of the kernel refuses the window with EAGAIN. */
bool truth_kernel_refuses(enum truth_kernel check, const struct truth_window *window);
/* Whether the kernel is of 7.1 or later: it has a check. */
bool truth_kernel_is_new(enum truth_kernel check);

void truth_add_copy(struct truth *truth, int err, uint64_t bytes);
void truth_add_window(struct truth *truth, const struct truth_window *window);

const char *truth_class_name(enum truth_class class);
/* NULL at the end. */
extern const char *const truth_kind_names[NR_TRUTH_KINDS + 1];
/* The words of --kernel-check, NULL at the end. */
extern const char *const truth_kernel_names[NR_TRUTH_KERNELS + 1];
/* The words of --locks, NULL at the end. */
extern const char *const truth_lock_names[];

/* The names of these reasons, as an array. */
struct json_object *truth_reasons_json(const char *const *names, unsigned int reasons);
extern const char *const truth_snapshot_names[NR_TRUTH_SNAPSHOT + 1];
extern const char *const truth_meaning_names[NR_TRUTH_MEANING + 1];
extern const char *const truth_tolerated_names[NR_TRUTH_TOLERATED + 1];

/* What every truth begins with: type, schema, load, seed, prng, pid. */
struct json_object *truth_head(const char *load, uint64_t seed);
void truth_put_copy(struct json_object *to, const struct truth *truth);
/*
 * kernel_check, windows, reasons, kinds, checks, odd_start, external, anomalies; null for what a
 * kernel without per-VMA locks cannot tell.
 */
void truth_put_windows(struct json_object *to, const struct truth *truth);

#endif
