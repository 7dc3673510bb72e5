/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Fixed arrays as storage of tasks: a hash table from tids to places, without locks.
 *
 * Each tid has a home and a row of other places. It lives at home unless another task was there
 * first; its home counts those that had to move. So a lookup reads one place as a rule, also for a
 * task that has none. Only the task itself takes, finds and gives back its place.
 *
 * Not task storage: its allocation may fail at any time (kmalloc_nolock()), and always does on CPUs
 * without cmpxchg16b. Compiled into the BPF object and into the host's unit tests alike.
 */
#ifndef TASK_SLOT_H
#define TASK_SLOT_H

#include "uffdretry.h"

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
/* The verifier checks a global function once, not for each call. */
#define TASK_SLOT_GLOBAL __noinline
#else
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define TASK_SLOT_GLOBAL static
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif

#define TASK_SLOT_SHIFT 13
#define NR_TASK_SLOTS (1 << TASK_SLOT_SHIFT)
/* Half full, a task finds its 32 places taken once in 2^32. */
#define TASK_SLOT_PLACES 32

/* What is kept of a task. */
enum task_table {
	TASK_WINDOW,
	TASK_COPY_STOP,
	NR_TASK_TABLES,
};

struct task_slot {
	__u32 tid;   /* 0: free */
	__u32 moved; /* tasks whose home this is, and that live elsewhere */
};

static struct task_slot task_slots[NR_TASK_TABLES * NR_TASK_SLOTS] OWN_LINE;

/* The @nr'th place of @tid, its home first. Two rounds: tids are neighbours, or a stride apart. */
static __always_inline __u32 task_slot_place(__u32 tid, __u32 nr)
{
	__u32 hash = tid * 0x9e3779b1U, step;

	hash = (hash ^ hash >> 15) * 0x85ebca77U;
	hash ^= hash >> 13;
	step = hash >> (32 - TASK_SLOT_SHIFT) | 1;
	return (hash + nr * step) & (NR_TASK_SLOTS - 1);
}

/* The verifier of 6.1 knows no bounds of a sum of bits: mask all of them, where it sees it. */
static __always_inline volatile struct task_slot *task_slot_at(__u32 table, __u32 place)
{
	__u32 i = table * NR_TASK_SLOTS + place;

	barrier_var(i);
	return &task_slots[i & (NR_TASK_TABLES * NR_TASK_SLOTS - 1)];
}

/* Where else than at home @tid lives; NR_TASK_SLOTS: nowhere. */
TASK_SLOT_GLOBAL __u32 task_slot_search(__u32 table, __u32 tid)
{
	for (__u32 nr = 1; nr < TASK_SLOT_PLACES; nr++) {
		__u32 place = task_slot_place(tid, nr);

		if (task_slot_at(table, place)->tid == tid)
			return place;
	}
	return NR_TASK_SLOTS;
}

/* Take a place for @tid, whose home is not free; NR_TASK_SLOTS: all are taken. */
TASK_SLOT_GLOBAL __u32 task_slot_move(__u32 table, __u32 tid)
{
	for (__u32 nr = 1; nr < TASK_SLOT_PLACES; nr++) {
		__u32 place = task_slot_place(tid, nr);
		volatile struct task_slot *s = task_slot_at(table, place);

		if (s->tid || __sync_val_compare_and_swap(&s->tid, 0, tid))
			continue;
		s = task_slot_at(table, task_slot_place(tid, 0));
		__sync_fetch_and_add(&s->moved, 1);
		return place;
	}
	return NR_TASK_SLOTS;
}

/* task_slot_find() - the place of @tid, the current task's, or NR_TASK_SLOTS. */
static __always_inline __u32 task_slot_find(__u32 table, __u32 tid)
{
	__u32 home = task_slot_place(tid, 0);
	volatile struct task_slot *s = task_slot_at(table, home);

	if (s->tid == tid)
		return home;
	return s->moved ? task_slot_search(table, tid) : NR_TASK_SLOTS;
}

/* task_slot_take() - as task_slot_find(), but a task without a place gets a free one. */
static __always_inline __u32 task_slot_take(__u32 table, __u32 tid)
{
	__u32 place = task_slot_find(table, tid);
	volatile struct task_slot *s;

	if (place < NR_TASK_SLOTS)
		return place;
	place = task_slot_place(tid, 0);
	s = task_slot_at(table, place);
	if (!s->tid && !__sync_val_compare_and_swap(&s->tid, 0, tid))
		return place;
	return task_slot_move(table, tid);
}

/* task_slot_release() - @tid gives back @place. What it kept there must be written before. */
static __always_inline void task_slot_release(__u32 table, __u32 tid, __u32 place)
{
	__u32 home = task_slot_place(tid, 0);

	__sync_lock_test_and_set(&task_slot_at(table, place)->tid, 0);
	if (place != home)
		__sync_fetch_and_add(&task_slot_at(table, home)->moved, -1);
}

#endif /* TASK_SLOT_H */
