/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Plan interval: windows of kernels whose retry is a -ENOENT inside mfill_atomic(), 6.12 to 7.0. It works on later ones
 * too, but there is better.
 *
 * No hook sits between the failed copy and the drop of the VMA's lock, and none sees the VMA there. But the VMA is
 * locked from uffd_lock_vma() to the drop, so what was read at the former's exit is what it is at the begin; only
 * mm_lock_seq must be read anew. The begin is early: by the return from the fault, and by a cond_resched(). So a writer
 * elsewhere in the mm may be counted that had ended before the drop; a writer of this VMA may not.
 */
#ifndef INTERVAL_BPF_H
#define INTERVAL_BPF_H

#include "bpf/failure.bpf.h"

#define PAGE_MASK (~4095ULL)
#define TRAP_PAGE_FAULT 14

/* Tasks inside mfill_atomic_copy(): the one test of hooks that everyone runs through. */
__u32 copies;

/*
 * copy_enter() - the current task enters the worker, for [@dst, @dst + @len) in @mm from @src.
 * Its window is taken now; whether it is ever opened is to be seen.
 */
static __always_inline void copy_enter(struct mm_struct *mm, __u64 dst, __u64 src, __u64 len)
{
	struct window *w;
	int slot;

	if (!mm)
		return;
	slot = slot_of(mm);
	if (slot < 0)
		return;
	w = window_take();
	if (!w) {
		count_lost(slot, LOST_MAP_FULL);
		return;
	}
	w->mm = (__u64)mm;
	w->slot = slot;
	w->copy.dst = dst;
	w->copy.src = src;
	w->copy.len = len;
	w->locked = 0;
	w->failed = 0;
	__sync_fetch_and_add(&copies, 1);
}

/* The window of the current task, which is in the worker, or NULL. */
static __always_inline struct window *copy_of_current(void)
{
	return *(volatile __u32 *)&copies ? window_find() : NULL;
}

/* copy_locked() - uffd_lock_vma() returned @vma, locked: at first, or again at the end of a window. */
static __always_inline void copy_locked(struct window *w, struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	if (!mm || (__u64)mm != w->mm)
		return;
	read_facts(&w->held, vma, mm);
	w->locked = 1;
	if (w->open)
		window_relocked(w, vma, w->facts.dst);
}

/* copy_refused() - uffd_lock_vma() returned @err. */
static __always_inline void copy_refused(struct window *w, __s64 err)
{
	w->locked = 0;
	cause_note(w->open ? w->facts.dst : w->copy.dst, -err, site_of_refusal(-err, w->open));
	if (w->open)
		window_end(w, err == -EAGAIN ? RELOCK_BLOCKED : RELOCK_GONE);
}

/*
 * copy_failed() - the locked copy of the page at @dst has failed; the lock is about to be dropped. Called once or twice
 * for the same failure, the last counts.
 */
static __always_inline void copy_failed(struct window *w, __u64 dst)
{
	/* The page before this one is through, its verdict was missed. */
	if (w->open && w->facts.dst != dst)
		window_end(w, w->relocked_ns ? RELOCK_OK : RELOCK_LOST);
	if (!w->open)
		window_open(w, w->mm, w->slot, (__u64)bpf_get_current_task_btf()->mm != w->mm);
	w->facts.dst = dst;
	w->facts.begin = w->held;
	w->facts.begin.mm_lock_seq = mm_lock_seq_at(w->mm);
	w->begin_ns = bpf_ktime_get_ns();
	w->unmaps = change_head(w->mm, CHANGE_UNMAP);
	w->write_locks = change_head(w->mm, CHANGE_WRITE_LOCK);
	w->kind = kind_of(&w->facts.begin);
	if (!w->locked)
		window_end(w, RELOCK_LOST);
}

/* copy_passed() - all that the kernel tests after the re-take has passed. */
static __always_inline void copy_passed(struct window *w)
{
	if (!w->open)
		return;
	if (w->facts.kernel_answer == KERNEL_ANSWER_UNSEEN)
		w->facts.kernel_answer = KERNEL_ANSWER_SEEN;
	window_end(w, w->relocked_ns ? RELOCK_OK : RELOCK_LOST);
}

/* copy_exit() - the worker returns @ret. @changing: mmap_changing is raised. */
static __always_inline void copy_exit(struct window *w, bool changing, __s64 ret)
{
	__u32 relock_result = w->open ? overtaken_retake(w, changing, w->copy.dst, w->copy.len, ret) : RELOCK_OK;

	cause_leave(NULL, w->copy.dst, w->copy.len, ret, w->open ? w : NULL, relock_result);
	if (w->open)
		window_end(w, relock_result);
	w->copy.len = 0;
	__sync_fetch_and_add(&copies, -1);
	window_release(w);
}

#endif /* INTERVAL_BPF_H */
