// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a load knows for certain about its own copies and windows, and its JSON.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "known/truth.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const char *const class_names[NR_CLASSES] = {
	[CLASS_QUIET] = "quiet",
	[CLASS_UNRELATED] = "unrelated",
	[CLASS_LOCKED] = "locked",
	[CLASS_TOLERATED] = "tolerated",
	[CLASS_REPLACED] = "replaced",
	[CLASS_HIDDEN] = "hidden",
	[CLASS_FALSE_ALARM] = "false_alarm",
	[CLASS_REAL] = "real",
	[CLASS_GONE] = "gone",
	[CLASS_BLOCKED] = "blocked",
	[CLASS_ABORTED] = "aborted",
	[CLASS_UNDETERMINED] = "undetermined",
};

/* In the order of the reasons' bits, NULL at the end. */
const char *const snapshot_reason_names[] = { "uffd_flags", "shared", "ops", "file", "inode", "pgoff", NULL };
const char *const meaning_reason_names[] = { "ctx", "uffd_flags", "shared", "ops", "inode", "offset", NULL };
const char *const tolerated_reason_names[] = { "range", "flags", "prot", "policy", "name", NULL };

static const char *const kind_names[NR_KINDS] = {
	[KIND_ANON] = "anon",
	[KIND_SHMEM] = "shmem",
	[KIND_HUGETLB] = "hugetlb",
};

static const char *const check_names[NR_CHECKS] = {
	[CHECK_OPS_POINTER] = "ops_pointer", [CHECK_SNAPSHOT] = "snapshot", [CHECK_PER_VMA_SEQ] = "per_vma_seq",
	[CHECK_PER_MM_SEQ] = "per_mm_seq",   [CHECK_KERNEL] = "kernel",
};

const char *const kernel_check_names[NR_KERNEL_CHECKS + 1] = {
	[KERNEL_SNAPSHOT] = "snapshot",
	[KERNEL_NONE] = "none",
	[KERNEL_PER_MM_SEQ] = "per_mm_seq",
	[KERNEL_PER_VMA_SEQ] = "per_vma_seq",
};

const char *class_name(enum window_class class)
{
	return class_names[class];
}

bool reached_check(enum window_class class)
{
	return class != CLASS_GONE && class != CLASS_BLOCKED && class != CLASS_ABORTED && class != CLASS_UNDETERMINED;
}

enum window_class classify_retaken(const struct window_truth *window, bool unmapped)
{
	if (window->snapshot)
		return window->meaning ? CLASS_REAL : CLASS_FALSE_ALARM;
	if (window->meaning)
		return CLASS_HIDDEN;
	if (unmapped)
		return CLASS_REPLACED;
	if (window->vma_locked)
		return window->tolerated ? CLASS_TOLERATED : CLASS_LOCKED;
	return window->seq_moved ? CLASS_UNRELATED : CLASS_QUIET;
}

static bool refuses(enum check check, const struct window_truth *window)
{
	switch (check) {
	case CHECK_OPS_POINTER:
		return window->snapshot & SNAPSHOT_OPS;
	case CHECK_SNAPSHOT:
		return window->snapshot;
	case CHECK_PER_VMA_SEQ:
		return window->vma_locked;
	case CHECK_PER_MM_SEQ:
		return window->seq_moved;
	default:
		return false;
	}
}

bool kernel_refuses(enum kernel_check check, const struct window_truth *window)
{
	static const enum check same[NR_KERNEL_CHECKS] = {
		[KERNEL_SNAPSHOT] = CHECK_SNAPSHOT,
		[KERNEL_NONE] = NR_CHECKS,
		[KERNEL_PER_MM_SEQ] = CHECK_PER_MM_SEQ,
		[KERNEL_PER_VMA_SEQ] = CHECK_PER_VMA_SEQ,
	};

	/* No kernel compares anything when the destination is hugetlb. */
	return window->kind != KIND_HUGETLB && refuses(same[check], window);
}

void truth_add_copy(struct truth *truth, int err, uint64_t bytes)
{
	copies_add(&truth->copies, err, bytes);
}

static void add_verdict(struct check_truth *check, bool eagain, enum window_class class)
{
	bool real = class == CLASS_REAL || class == CLASS_HIDDEN;

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

static void add_checked(struct truth *truth, const struct window_truth *window)
{
	enum check i;

	add_reasons(truth->snapshot, NR_SNAPSHOT_REASONS, window->snapshot);
	add_reasons(truth->meaning, NR_MEANING_REASONS, window->meaning);
	if (window->class == CLASS_TOLERATED)
		add_reasons(truth->tolerated, NR_TOLERATED_REASONS, window->tolerated);
	for (i = 0; i < CHECK_KERNEL; i++)
		add_verdict(&truth->checks[i], refuses(i, window), window->class);
	add_verdict(&truth->checks[CHECK_KERNEL], kernel_refuses(truth->kernel_check, window), window->class);
}

/* Without per-VMA locks nobody knows what mmap_lock was taken for. */
static enum window_class visible_class(const struct truth *truth, enum window_class class)
{
	return truth->mmap_lock_only && class == CLASS_LOCKED ? CLASS_UNRELATED : class;
}

void truth_add_window(struct truth *truth, const struct window_truth *window)
{
	enum window_class class = visible_class(truth, window->class);

	truth->windows++;
	truth->class[class]++;
	truth->kind[window->kind][class]++;
	truth->odd_start += window->odd_start;
	truth->external += window->external;
	if (reached_check(window->class))
		add_checked(truth, window);
}

/* --- JSON --------------------------------------------------------------------------------------------------- */

static void put(struct json_object *to, const char *name, uint64_t n)
{
	json_object_object_add(to, name, json_object_new_uint64(n));
}

static struct json_object *counts_json(const char *const *names, const uint64_t *counts, unsigned int nr)
{
	struct json_object *object = json_object_new_object();
	unsigned int i;

	for (i = 0; i < nr; i++)
		put(object, names[i], counts[i]);
	return object;
}

static struct json_object *classes_json(const struct truth *truth, const uint64_t *counts)
{
	struct json_object *object = counts_json(class_names, counts, NR_CLASSES);

	if (truth->mmap_lock_only)
		json_object_object_add(object, class_names[CLASS_LOCKED], NULL);
	return object;
}

static struct json_object *checks_json(const struct truth *truth)
{
	struct json_object *object = json_object_new_object();
	struct json_object *one;
	enum check i;

	for (i = 0; i < NR_CHECKS; i++) {
		if (truth->mmap_lock_only && (i == CHECK_PER_VMA_SEQ || i == CHECK_PER_MM_SEQ)) {
			json_object_object_add(object, check_names[i], NULL);
			continue;
		}
		one = json_object_new_object();
		put(one, "eagain", truth->checks[i].eagain);
		put(one, "real", truth->checks[i].real);
		put(one, "spurious", truth->checks[i].spurious);
		put(one, "missed", truth->checks[i].missed);
		json_object_object_add(object, check_names[i], one);
	}
	return object;
}

struct json_object *reason_names(const char *const *names, unsigned int reasons)
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
	enum window_kind kind;

	json_object_object_add(to, "kernel_check", json_object_new_string(kernel_check_names[truth->kernel_check]));
	put(windows, "total", truth->windows);
	json_object_object_add(to, "windows", windows);
	json_object_object_add(to, "snapshot_reasons",
			       counts_json(snapshot_reason_names, truth->snapshot, NR_SNAPSHOT_REASONS));
	json_object_object_add(to, "meaning_reasons",
			       counts_json(meaning_reason_names, truth->meaning, NR_MEANING_REASONS));
	json_object_object_add(to, "tolerated_reasons",
			       counts_json(tolerated_reason_names, truth->tolerated, NR_TOLERATED_REASONS));
	for (kind = 0; kind < NR_KINDS; kind++)
		json_object_object_add(kinds, kind_names[kind], classes_json(truth, truth->kind[kind]));
	json_object_object_add(to, "by_kind", kinds);
	json_object_object_add(to, "checks", checks_json(truth));
	if (truth->mmap_lock_only)
		json_object_object_add(to, "odd_start", NULL);
	else
		put(to, "odd_start", truth->odd_start);
	put(to, "external", truth->external);
	put(to, "anomalies", 0);
}
