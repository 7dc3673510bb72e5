/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The retry window of a task, and where it is kept. A task has at most one, because the kernel
 * handles one page of one ioctl at a time.
 */
#ifndef WINDOW_SLOT_BPF_H
#define WINDOW_SLOT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "task_slot.h"
#include "uffdretry.h"
#include "bpf/copy_args.bpf.h"
#include "bpf/relock.bpf.h"
#include "bpf/vma_log.bpf.h"

struct window {
	struct window_facts facts;
	struct verdict verdict;
	struct copy_args copy; /* all but the retry plans: what the copy loop was asked for */
	__u64 held;  /* plan interval: the VMA that the copier has locked, 0: none, or not seen */
	__u64 start; /* ... for a copy to this address */
	__u64 mm;
	__u64 begin_ns;
	__u64 begin_jiffies; /* if writers are recorded */
	__u64 bounded_ns;    /* when the lock was surely dropped, 0: not seen */
	__u64 relocked_ns;   /* when the VMA was locked again: facts.end is there; 0: not yet */
	__u64 unmaps;	     /* heads of the change logs at the begin */
	__u64 write_locks;
	__u64 unmaps_end; /* and at the relock */
	__u64 write_locks_end;
	__u32 place; /* in the table of tasks, and in windows */
	__u32 slot;
	__u32 kind;
	__u32 external;
	__u32 open;	     /* begun, and not ended */
	__u32 looping;	     /* all but the retry plans: the task is in the copy loop */
	__u32 failed;	     /* plans on mmap_lock: the copy failed, the lock is not dropped yet */
	__u32 silences;	     /* set of enum silence: what the facts rely on */
	__u32 unlocked;	     /* plans on mmap_lock: no lock was taken since the last drop */
	__u32 by;	     /* the row of its destination's owner: see by.bpf.h */
	__u32 first_section; /* without an mm_lock_seq: section_head() at the begin */
	struct writer_set writers;
	struct relock relock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_TASK_SLOTS);
	__type(key, __u32);
	__type(value, struct window);
} windows SEC(".maps");

/* The window at @place, NULL for NR_TASK_SLOTS. */
static __always_inline struct window *window_at(__u32 place)
{
	return bpf_map_lookup_elem(&windows, &place);
}

/* window_find() - the current task's window, open or not, or NULL. */
static __always_inline struct window *window_find(void)
{
	__u32 place = task_slot_find(TASK_WINDOW, own_tid());

	return place < NR_TASK_SLOTS ? window_at(place) : NULL;
}

/*
 * window_of_current() - the current task's window in @mm, or NULL; one test when no window is open
 * there.
 */
static __always_inline struct window *window_of_current(__u64 mm)
{
	if (!mm_has_window(mm_state_of(mm)))
		return NULL;
	return window_find();
}

/* window_open_of_current() - the same if it is open. A place may be kept for the next window. */
static __always_inline struct window *window_open_of_current(__u64 mm)
{
	struct window *w = window_of_current(mm);

	return w && w->open ? w : NULL;
}

/* window_release() - let other tasks use the place of @w, the current task's. */
static __always_inline void window_release(struct window *w)
{
	task_slot_release(TASK_WINDOW, own_tid(), w->place);
}

#endif /* WINDOW_SLOT_BPF_H */
