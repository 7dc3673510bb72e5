/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Plans legacy and mmap_lock: windows of kernels whose UFFDIO_COPY takes mmap_lock, 6.8 and before.
 * Its tracepoints show begin and end exactly: mmap_lock_released fires before the drop,
 * mmap_lock_acquire_returned after the lock. No writer is in at either, so where there is an
 * mm_lock_seq (6.4 and later) it is exact too.
 *
 * A copier whose own mm is the destination's also takes mmap_lock in its window when it faults its
 * source in. So each acquisition may be the relock, and the last one is. These kernels check nothing
 * after the retry.
 */
#ifndef PLAN_LEGACY_BPF_H
#define PLAN_LEGACY_BPF_H

#include "bpf/plan_interval.bpf.h"

/*
 * window.held: the source of this copy is unreadable. The copier locks for its faults, and gives
 * up.
 */
#define LEGACY_OVER 2

/*
 * The facts of the VMA that the kernel takes for the destination's. Without one only mm_lock_seq is
 * set, which says who wrote meanwhile. The kernel looks up the first page of the whole copy
 * (find_dst_vma()), and accepts only a VMA that holds all of it.
 */
static __always_inline void read_dst_facts(struct vma_facts *f, const struct window *w)
{
	__u64 vma = vma_at(w->mm, w->copy.dst);

	if (vma) {
		read_facts_at(f, vma, w->mm);
		if (w->copy.dst >= f->start && w->copy.dst < f->end)
			return;
	}
	__builtin_memset(f, 0, sizeof(*f));
	f->mm_lock_seq = mm_lock_seq_of(w->mm);
}

/* legacy_enter() - the current task enters the copy loop. */
static __always_inline void legacy_enter(__u64 mm, __u64 dst, __u64 src, __u64 len)
{
	struct window *w = copy_enter(mm);

	if (w)
		w->copy = (struct copy_args) { dst, src, len, 0 };
}

/* The userfaultfd whose mmap_changing is at @changing. */
static __always_inline struct userfaultfd_ctx *uffd_changing_at(atomic_t *changing)
{
	return (void *)changing - bpf_core_field_offset(struct userfaultfd_ctx, mmap_changing);
}

/* legacy_exit() - the copy loop returns @ret. */
static __always_inline void legacy_exit(struct mm_struct *mm, atomic_t *changing, __u64 dst,
					__u64 len, __s64 ret)
{
	struct window *w = copy_of_current();

	if (w)
		copy_exit(w, uffd_changing_at(changing), BPF_CORE_READ(changing, counter) != 0, dst,
			  len, ret);
	else
		copy_exit_unseen(mm, BPF_CORE_READ(changing, counter) != 0, dst, len, ret);
}

/*
 * legacy_failed() - the copy of the page at @dst failed with faults disabled: the lock is dropped
 * next.
 */
static __always_inline void legacy_failed(struct window *w, __u64 dst)
{
	/* The page before this one got through, its verdict was missed. */
	if (w->open)
		window_end(w, window_passed(w));
	w->facts.dst = dst;
	w->failed = 1;
}

/*
 * The copier's lock was dropped by now. If the run at the drop was skipped, the window has no
 * begin: it must not begin at a later drop.
 */
static __always_inline void legacy_drop_missed(struct window *w)
{
	if (w->failed)
		copy_window_missed(w, KIND_ANON);
	w->failed = 0;
}

/*
 * legacy_faulted() - the copy of the page at @dst failed with faults enabled: all locks in the
 * window were of faults.
 */
static __always_inline void legacy_faulted(struct window *w, __u64 dst)
{
	stop_note(dst, EFAULT, SITE_SOURCE);
	legacy_drop_missed(w);
	w->held = LEGACY_OVER;
	w->relocked_ns = 0;
	__builtin_memset(&w->relock, 0, sizeof(w->relock));
	if (w->open)
		window_end(w, RELOCK_NEVER);
}

/* legacy_fixup() - fixup_exception() handles a page fault at @address. */
static __always_inline void legacy_fixup(__u64 address)
{
	struct window *w = copy_of_current();
	__u64 dst;

	if (!w || !copy_faulted(w, address, &dst))
		return;
	if (bpf_get_current_task_btf()->pagefault_disabled)
		legacy_failed(w, dst);
	else
		legacy_faulted(w, dst);
}

/* legacy_unlocked() - the current task is about to drop its read lock of @mm. */
static __always_inline void legacy_unlocked(struct mm_struct *mm)
{
	struct window *w = copy_of_current();

	if (!w || w->mm != (__u64)mm)
		return;
	/* Without a lock since the last drop: the one was missed that may have been the relock. */
	if (w->open && w->unlocked)
		w->relocked_ns = 0;
	w->unlocked = 1;
	if (!w->failed)
		return;
	w->failed = 0;
	window_open(w, w->mm, w->slot);
	w->unlocked = 1;
	read_dst_facts(&w->facts.begin, w);
	w->kind = kind_of(&w->facts.begin);
}

/*
 * No window is open. In a copy loop that has had a lock before, one without a begin was: faults of
 * the source lock too, but only in a window.
 */
static __always_inline void legacy_locked_again(struct window *w)
{
	if (w->held == LEGACY_OVER)
		return;
	if (w->held)
		copy_window_missed(w, KIND_ANON);
	w->held = !w->held;
}

/* Without mm_lock_seq: what the logs of all write sections and of unmaps tell about @w. */
static __always_inline void legacy_search_log(struct window *w)
{
	w->facts.write_locked = vma_log_seen(w->mm, VMA_WRITE_LOCK, w->write_locks,
					     vma_log_head(w->mm, VMA_WRITE_LOCK), w->facts.dst);
	if (w->facts.write_locked == SEEN_NO)
		w->facts.unmapped = SEEN_NO;
	else
		w->facts.unmapped = vma_log_seen(w->mm, VMA_UNMAP, w->unmaps,
						 vma_log_head(w->mm, VMA_UNMAP), w->facts.dst);
	if (w->facts.write_locked == SEEN_UNKNOWN || w->facts.unmapped == SEEN_UNKNOWN)
		count_lost(w->slot, LOST_MAP_FULL);
}

/* With mm_lock_seq: only the log of unmaps is there, and only a write-locked VMA was unmapped. */
static __always_inline void legacy_locate(struct window *w)
{
	w->unmaps_end = vma_log_head(w->mm, VMA_UNMAP);
	window_located(w, w->facts.dst);
}

/* legacy_locked() - the copier has a read lock. */
static __always_inline void legacy_locked(struct window *w)
{
	legacy_drop_missed(w);
	w->unlocked = 0;
	if (!w->open) {
		legacy_locked_again(w);
		return;
	}
	relock_mmap_lock(&w->relock);
	relock_end(&w->relock);
	read_dst_facts(&w->facts.end, w);
	if (mm_seq_kind() == SEQ_NONE)
		legacy_search_log(w);
	else
		legacy_locate(w);
	w->relocked_ns = bpf_ktime_get_ns();
}

/*
 * legacy_acquired() - the current task has @mm's mmap_lock. Without mm_lock_seq every write section
 * is logged as one of the whole mm.
 */
static __always_inline void legacy_acquired(void *ctx, struct mm_struct *mm, bool write)
{
	struct window *w;

	if (write) {
		if (mm_seq_kind() == SEQ_NONE)
			vma_log_append((__u64)mm, 0, ~0ULL, VMA_WRITE_LOCK);
		if (has_writers)
			section_record(ctx, mm);
		return;
	}
	if (cfg_relock)
		hold_end(mm); /* a downgrade ends a write section, and fires here */
	w = copy_of_current();
	if (w && w->mm == (__u64)mm)
		legacy_locked(w);
}

/* legacy_waits() - the current task is about to take @mm's mmap_lock for read. */
static __always_inline void legacy_waits(struct mm_struct *mm)
{
	struct window *w = copy_of_current();

	if (w && w->mm == (__u64)mm)
		window_relock_begins(w);
}

#endif /* PLAN_LEGACY_BPF_H */
