/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The begin and the relock of a window, for every plan. */
#ifndef WINDOW_BPF_H
#define WINDOW_BPF_H

#include "bpf/target.bpf.h"
#include "bpf/vma_facts.bpf.h"
#include "bpf/window_end.bpf.h"

#define MAX_ERRNO 4095
#define IS_ERR_VALUE(v) ((__u64)(v) >= (__u64)-MAX_ERRNO)

/*
 * vm_flags bits that are userfaultfd modes here: MISSING, WP, MINOR, and RWP where the kernel has
 * it. The self-test may correct it.
 */
volatile __u64 uffd_mask = 0;
/* After a retry this kernel compares something, except for hugetlb destinations. */
const volatile bool has_kernel_check = false;
/* Plan retry_state: a probe sees the relock before the hook on the answer does. */
const volatile bool has_relock_probe = false;
/* What it compares: an enum check, NR_CHECKS until the self-test has found out. */
volatile __u32 kernel_is = NR_CHECKS;

/*
 * A free window for the current task, or NULL. A window that it still has open lost its end: it is
 * counted and reused.
 */
static __always_inline struct window *window_take(void)
{
	__u32 place = task_slot_take(TASK_WINDOW, own_tid());
	struct window *w = window_at(place);

	if (!w)
		return NULL;
	w->place = place;
	if (w->open)
		window_end(w, window_result(w, &(struct unseen_end) { .at = OPEN_AT_NEXT }));
	return w;
}

/* Count a window whose begin was missed, or that has no slot: @cause. It is in no target's row. */
static __always_inline void window_undetermined(__u32 slot, __u32 kind, enum lost_cause cause)
{
	struct verdict v = { .class = CLASS_UNDETERMINED };

	count_window(slot, kind, &v, 0, false);
	by_window(slot, 0, &v, 0, 0);
	count_lost(slot, cause);
	if (cfg_events)
		count_lost(slot, LOST_EVENTS);
}

/*
 * Does a hook append to the log of write locks? It is a second witness, or without mm_lock_seq the
 * only one.
 */
static __always_inline bool logs_write_locks(void)
{
	return mm_seq_kind() == SEQ_NONE || has_write_lock_hook;
}

/*
 * window_open() - open @w in @mm: from here on the mm's changes are logged. The caller fills
 * facts.begin.
 */
static __always_inline void window_open(struct window *w, __u64 mm, __u32 slot)
{
	w->mm = mm;
	w->slot = slot;
	/* Read back: a global function takes no pointer with a type. */
	w->by = by_of(slot, *(volatile __u64 *)&w->mm);
	w->external = (__u64)bpf_get_current_task_btf()->mm != mm;
	w->open = 1;
	w->bounded_ns = 0;
	w->relocked_ns = 0;
	w->silences = 0;
	w->unlocked = 0;
	__builtin_memset(&w->relock, 0, sizeof(w->relock));
	w->facts.uffd_mask = uffd_mask;
	w->facts.seq = mm_seq_kind();
	w->facts.kernel_answer = has_kernel_check ? KERNEL_ANSWER_UNSEEN : KERNEL_ANSWER_NONE;
	w->facts.kernel_eagain = 0;
	w->facts.kernel_is = kernel_is;
	w->facts.unmapped = SEEN_UNKNOWN;
	w->facts.write_locked = SEEN_UNKNOWN;
	w->facts.seq_between = SEEN_UNKNOWN;
	w->facts.written = SEEN_NO;
	w->begin_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(open_windows_of(mm), 1);
	w->unmaps = vma_log_head(mm, VMA_UNMAP);
	if (logs_write_locks())
		w->write_locks = vma_log_head(mm, VMA_WRITE_LOCK);
	__builtin_memset(&w->writers, 0, sizeof(w->writers));
	if (has_writers)
		w->begin_jiffies = sections_watch(mm, slot, w->begin_ns);
	w->first_section = section_head(mm);
}

/*
 * window_begin() - the current task is about to drop the read lock of @vma, the destination's. Its
 * mm is the destination's, not the caller's.
 * Returns the window, or NULL when it is not traced or has no slot.
 */
static __always_inline struct window *window_begin(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	struct window *w;
	int slot;

	if (!mm)
		return NULL;
	slot = slot_of(mm);
	if (slot < 0)
		return NULL;
	w = window_take();
	if (!w) {
		window_undetermined(slot, kind_of_vma(vma), LOST_MAP_FULL);
		return NULL;
	}
	window_open(w, (__u64)mm, slot);
	w->facts.dst = 0;
	read_facts(&w->facts.begin, vma, mm);
	w->kind = kind_of(&w->facts.begin);
	return w;
}

/*
 * window_bounded() - @w's lock has been dropped by now: an upper bound for a begin that is early.
 */
static __always_inline void window_bounded(struct window *w)
{
	if (!w->open || w->bounded_ns || w->relocked_ns)
		return;
	w->bounded_ns = bpf_ktime_get_ns();
	count_bounded(w->slot, w->bounded_ns - w->begin_ns,
		      mm_lock_seq_of(w->mm) != w->facts.begin.mm_lock_seq);
}

/* window_held() - read facts.end from @vma, locked again, and the heads of the change logs. */
static __always_inline void window_held(struct window *w, struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	if (!mm)
		return;
	/* Before mm_lock_seq is read: a section that is there now must show in the number. */
	if (has_write_lock_hook &&
	    section_follows(w->mm, w->facts.begin.mm_lock_seq, w->begin_jiffies))
		w->facts.written = SEEN_YES;
	read_facts(&w->facts.end, vma, mm);
	if (was_write_locked(&w->facts)) {
		w->unmaps_end = vma_log_head(w->mm, VMA_UNMAP);
		w->write_locks_end = vma_log_head(w->mm, VMA_WRITE_LOCK);
	}
	w->relocked_ns = bpf_ktime_get_ns();
}

/*
 * window_doubled() - the current task relocks a second time: the end of @w and the begin of another
 * window were missed. Returns whether that is so; then both are counted.
 */
static __always_inline bool window_doubled(struct window *w)
{
	if (!w->relocked_ns)
		return false;
	window_undetermined(w->slot, w->kind, LOST_WINDOWS);
	window_end(w, RELOCK_LOST);
	return true;
}

/*
 * window_relocked() - the VMA @vma of the destination @dst is read-locked again. The kernel's own
 * tests follow.
 */
static __always_inline void window_relocked(struct window *w, struct vm_area_struct *vma, __u64 dst)
{
	window_held(w, vma);
	if (w->relocked_ns)
		window_located(w, dst);
}

/* window_relock_begins() - the copier is about to lock the destination. @w: its window, or NULL. */
static __always_inline void window_relock_begins(struct window *w)
{
	if (w && w->open)
		relock_begin(&w->relock);
}

/* window_relock_ends() - the copier has the lock, or an error. @w: its window, or NULL. */
static __always_inline void window_relock_ends(struct window *w)
{
	if (w && w->open)
		relock_end(&w->relock);
}

/*
 * mmap_lock_acquired() - the current task has @mm's mmap_lock, or failed a trylock: who writes, and
 * --relock.
 */
static __always_inline void mmap_lock_acquired(void *ctx, struct mm_struct *mm, bool write,
					       bool success)
{
	struct window *w;

	if (!success)
		return;
	if (write && has_writers) {
		section_record(ctx, mm);
		return;
	}
	if (write || !cfg_relock)
		return;
	hold_end(mm); /* a downgrade ends a write section, and fires here */
	w = window_of_current((__u64)mm);
	if (w)
		relock_mmap_lock(&w->relock);
}

#endif /* WINDOW_BPF_H */
