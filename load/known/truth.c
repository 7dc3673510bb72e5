// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The truth: what a load knows for certain about its own copies and windows, and its JSON.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "known/truth.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char *const truth_class_names[NR_TRUTH_CLASSES] = {
	[TRUTH_QUIET] = "quiet",
	[TRUTH_UNRELATED] = "unrelated",
	[TRUTH_LOCKED] = "locked",
	[TRUTH_TOLERATED] = "tolerated",
	[TRUTH_REPLACED] = "replaced",
	[TRUTH_HIDDEN] = "hidden",
	[TRUTH_FALSE_ALARM] = "false_alarm",
	[TRUTH_REAL] = "real",
	[TRUTH_GONE] = "gone",
	[TRUTH_BLOCKED] = "blocked",
	[TRUTH_ABORTED] = "aborted",
	[TRUTH_UNDETERMINED] = "undetermined",
};

/* In the order of the reasons' bits, NULL at the end. */
const char *const truth_snapshot_names[] = { "uffd_flags", "shared", "ops", "file",
					     "inode",	   "pgoff",  NULL };
const char *const truth_meaning_names[] = { "ctx",   "uffd_flags", "shared", "ops",
					    "inode", "offset",	   NULL };
const char *const truth_tolerated_names[] = { "range", "flags", "prot", "policy", "name", NULL };

const char *const truth_kind_names[NR_TRUTH_KINDS + 1] = {
	[TRUTH_KIND_ANON] = "anon",
	[TRUTH_KIND_SHMEM] = "shmem",
	[TRUTH_KIND_HUGETLB] = "hugetlb",
};

static const char *const truth_check_names[NR_TRUTH_CHECKS] = {
	[TRUTH_CHECK_OPS_POINTER] = "ops_pointer", [TRUTH_CHECK_SNAPSHOT] = "snapshot",
	[TRUTH_CHECK_ADDRESS] = "address",	   [TRUTH_CHECK_PER_VMA_SEQ] = "per_vma_seq",
	[TRUTH_CHECK_PER_MM_SEQ] = "per_mm_seq",   [TRUTH_CHECK_KERNEL] = "kernel",
};

const char *const truth_kernel_names[NR_TRUTH_KERNELS + 1] = {
	[TRUTH_KERNEL_SNAPSHOT] = "snapshot",	    [TRUTH_KERNEL_NONE] = "none",
	[TRUTH_KERNEL_ADDRESS] = "address",	    [TRUTH_KERNEL_PER_MM_SEQ] = "per_mm_seq",
	[TRUTH_KERNEL_PER_VMA_SEQ] = "per_vma_seq",
};

const char *const truth_lock_names[] = { "vma", "mmap", "both", NULL };

const char *truth_class_name(enum truth_class class)
{
	return truth_class_names[class];
}

bool truth_reached_check(enum truth_class class)
{
	return class != TRUTH_GONE && class != TRUTH_BLOCKED && class != TRUTH_ABORTED &&
	       class != TRUTH_UNDETERMINED;
}

enum truth_class truth_classify(const struct truth_window *window, bool unmapped)
{
	if (window->snapshot)
		return window->meaning ? TRUTH_REAL : TRUTH_FALSE_ALARM;
	if (window->meaning)
		return TRUTH_HIDDEN;
	if (unmapped)
		return TRUTH_REPLACED;
	if (window->vma_locked)
		return window->tolerated ? TRUTH_TOLERATED : TRUTH_LOCKED;
	return window->seq_moved ? TRUTH_UNRELATED : TRUTH_QUIET;
}

static bool refuses(enum truth_check check, const struct truth_window *window)
{
	switch (check) {
	case TRUTH_CHECK_OPS_POINTER:
		return window->snapshot & TRUTH_SNAPSHOT_OPS;
	case TRUTH_CHECK_SNAPSHOT:
		return window->snapshot;
	/* The file page of the destination, not of the VMA's start. */
	case TRUTH_CHECK_ADDRESS:
		return window->snapshot & ~TRUTH_SNAPSHOT_PGOFF ||
		       window->meaning & TRUTH_MEANING_OFFSET;
	case TRUTH_CHECK_PER_VMA_SEQ:
		return window->vma_locked;
	case TRUTH_CHECK_PER_MM_SEQ:
		return window->seq_moved;
	default:
		return false;
	}
}

bool truth_kernel_refuses(enum truth_kernel check, const struct truth_window *window)
{
	static const enum truth_check same[NR_TRUTH_KERNELS] = {
		[TRUTH_KERNEL_SNAPSHOT] = TRUTH_CHECK_SNAPSHOT,
		[TRUTH_KERNEL_NONE] = NR_TRUTH_CHECKS,
		[TRUTH_KERNEL_ADDRESS] = TRUTH_CHECK_ADDRESS,
		[TRUTH_KERNEL_PER_MM_SEQ] = TRUTH_CHECK_PER_MM_SEQ,
		[TRUTH_KERNEL_PER_VMA_SEQ] = TRUTH_CHECK_PER_VMA_SEQ,
	};

	/* No other kernel compares anything when the destination is hugetlb. */
	if (window->kind == TRUTH_KIND_HUGETLB && check != TRUTH_KERNEL_ADDRESS)
		return false;
	return refuses(same[check], window);
}

bool truth_kernel_is_new(enum truth_kernel check)
{
	return check != TRUTH_KERNEL_NONE;
}

void truth_add_copy(struct truth *truth, int err, uint64_t bytes)
{
	copies_add(&truth->copies, err, bytes);
}

static void add_verdict(struct truth_verdicts *check, bool eagain, enum truth_class class)
{
	bool real = class == TRUTH_REAL || class == TRUTH_HIDDEN;

	check->eagain += eagain;
	check->real += eagain && real;
	check->spurious += eagain && !real;
	check->missed += !eagain && real;
}

static void add_reasons(uint64_t *counts, unsigned int nr, unsigned int reasons)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		counts[i] += reasons >> i & 1;
}

static void add_checked(struct truth *truth, const struct truth_window *window)
{
	bool refused = truth_kernel_refuses(truth->kernel_check, window);
	enum truth_check i;

	add_reasons(truth->snapshot, NR_TRUTH_SNAPSHOT, window->snapshot);
	add_reasons(truth->meaning, NR_TRUTH_MEANING, window->meaning);
	if (window->class == TRUTH_TOLERATED)
		add_reasons(truth->tolerated, NR_TRUTH_TOLERATED, window->tolerated);
	for (i = 0; i < TRUTH_CHECK_KERNEL; i++)
		add_verdict(&truth->checks[i], refuses(i, window), window->class);
	add_verdict(&truth->checks[TRUTH_CHECK_KERNEL], refused, window->class);
}

/* Without per-VMA locks no tool can know what mmap_lock was held for. */
static enum truth_class visible_class(const struct truth *truth, enum truth_class class)
{
	return truth->locks == TRUTH_LOCKS_MMAP && class == TRUTH_LOCKED ? TRUTH_UNRELATED : class;
}

void truth_add_window(struct truth *truth, const struct truth_window *window)
{
	enum truth_class class = visible_class(truth, window->class);

	truth->windows++;
	truth->class[class]++;
	truth->kind[window->kind][class]++;
	truth->odd_start += window->odd_start;
	truth->external += window->external;
	if (truth_reached_check(window->class))
		add_checked(truth, window);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put(struct json_object *to, const char *name, uint64_t n)
{
	json_object_object_add(to, name, json_object_new_uint64(n));
}

static struct json_object *counts_json(const char *const *names, const uint64_t *counts,
				       unsigned int nr)
{
	struct json_object *object = json_object_new_object();
	unsigned int i;

	for (i = 0; i < nr; i++)
		put(object, names[i], counts[i]);
	return object;
}

static struct json_object *classes_json(const struct truth *truth, const uint64_t *counts)
{
	struct json_object *object = counts_json(truth_class_names, counts, NR_TRUTH_CLASSES);

	if (truth->locks == TRUTH_LOCKS_MMAP)
		json_object_object_add(object, truth_class_names[TRUTH_LOCKED], NULL);
	return object;
}

static struct json_object *checks_json(const struct truth *truth)
{
	struct json_object *object = json_object_new_object();
	struct json_object *one;
	enum truth_check i;

	for (i = 0; i < NR_TRUTH_CHECKS; i++) {
		if (truth->locks == TRUTH_LOCKS_MMAP &&
		    (i == TRUTH_CHECK_PER_VMA_SEQ || i == TRUTH_CHECK_PER_MM_SEQ)) {
			json_object_object_add(object, truth_check_names[i], NULL);
			continue;
		}
		one = json_object_new_object();
		put(one, "eagain", truth->checks[i].eagain);
		put(one, "real", truth->checks[i].real);
		put(one, "spurious", truth->checks[i].spurious);
		put(one, "missed", truth->checks[i].missed);
		json_object_object_add(object, truth_check_names[i], one);
	}
	return object;
}

struct json_object *truth_reasons_json(const char *const *names, unsigned int reasons)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; names[i]; i++)
		if (reasons >> i & 1)
			json_object_array_add(array, json_object_new_string(names[i]));
	return array;
}

struct json_object *truth_head(const char *load, uint64_t seed)
{
	struct json_object *head = json_object_new_object();

	json_object_object_add(head, "type", json_object_new_string("truth"));
	put(head, "schema", 1);
	json_object_object_add(head, "load", json_object_new_string(load));
	put(head, "seed", seed);
	json_object_object_add(head, "prng", json_object_new_string("splitmix64"));
	put(head, "pid", (uint64_t)getpid());
	return head;
}

void truth_put_copy(struct json_object *to, const struct truth *truth)
{
	struct json_object *copy = json_object_new_object();

	copies_put(copy, &truth->copies);
	json_object_object_add(to, "copy", copy);
}

void truth_put_windows(struct json_object *to, const struct truth *truth)
{
	struct json_object *windows = classes_json(truth, truth->class);
	struct json_object *kinds = json_object_new_object();
	enum truth_kind kind;

	json_object_object_add(to, "kernel_check",
			       json_object_new_string(truth_kernel_names[truth->kernel_check]));
	put(windows, "total", truth->windows);
	json_object_object_add(to, "windows", windows);
	json_object_object_add(to, "snapshot_reasons",
			       counts_json(truth_snapshot_names, truth->snapshot,
					   NR_TRUTH_SNAPSHOT));
	json_object_object_add(to, "meaning_reasons",
			       counts_json(truth_meaning_names, truth->meaning, NR_TRUTH_MEANING));
	json_object_object_add(to, "tolerated_reasons",
			       counts_json(truth_tolerated_names, truth->tolerated,
					   NR_TRUTH_TOLERATED));
	for (kind = 0; kind < NR_TRUTH_KINDS; kind++)
		json_object_object_add(kinds, truth_kind_names[kind],
				       classes_json(truth, truth->kind[kind]));
	json_object_object_add(to, "by_kind", kinds);
	json_object_object_add(to, "checks", checks_json(truth));
	if (truth->locks != TRUTH_LOCKS_VMA) /* mm_lock_seq is never odd */
		json_object_object_add(to, "odd_start", NULL);
	else
		put(to, "odd_start", truth->odd_start);
	put(to, "external", truth->external);
	put(to, "anomalies", 0);
}
