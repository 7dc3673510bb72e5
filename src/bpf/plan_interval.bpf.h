/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Plan interval: windows of kernels whose retry is a -ENOENT inside mfill_atomic(), 6.12 to 7.0.
 *
 * No hook sits between the failed copy and the drop of the VMA's lock, and none has the VMA there.
 * But the VMA stays locked from uffd_lock_vma() to the drop, so its facts are read at the exit of
 * the former; only mm_lock_seq is read anew. The begin is early by the return from the fault and a
 * cond_resched(): a writer elsewhere in the mm may be counted that ended before the drop, a writer
 * of this VMA may not.
 */
#ifndef PLAN_INTERVAL_BPF_H
#define PLAN_INTERVAL_BPF_H

#include "bpf/arch.bpf.h"
#include "bpf/copy_stop.bpf.h"
#include "bpf/window.bpf.h"

/* Tasks inside the copy loop: the only test of hooks that every task runs through. */
__u32 copy_loops;

/*
 * copy_enter() - the current task enters the copy loop, for [@dst, @dst + @len) in @mm from @src.
 * Its window is taken now, and opened when a copy fails.
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
	__sync_fetch_and_add(&copy_loops, 1);
}

/* copy_of_current() - the window of the current task, which is in the copy loop, or NULL. */
static __always_inline struct window *copy_of_current(void)
{
	return *(volatile __u32 *)&copy_loops ? window_find() : NULL;
}

/*
 * copy_faulted() - does the fault at @address hit the source of @w's copy? Sets @dst to the page
 * that it is copied to.
 */
static __always_inline bool copy_faulted(const struct window *w, __u64 address, __u64 *dst)
{
	__u64 at = address - w->copy.src;

	*dst = w->copy.dst + PAGE_ALIGN_DOWN(at);
	return at < w->copy.len;
}

/* copy_locked() - uffd_lock_vma() returned @vma, locked: at first, or at the relock. */
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
	stop_note(w->open ? w->facts.dst : w->copy.dst, -err, site_of_refusal(-err, w->open));
	if (w->open)
		window_end(w, err == -EAGAIN ? RELOCK_BLOCKED : RELOCK_GONE);
}

/*
 * copy_failed() - the locked copy of the page at @dst failed; the lock is dropped next. Called once
 * or twice for the same failure, the last counts.
 */
static __always_inline void copy_failed(struct window *w, __u64 dst)
{
	/* The page before this one got through, its verdict was missed. */
	if (w->open && w->facts.dst != dst)
		window_end(w, window_passed(w));
	if (!w->open)
		window_open(w, w->mm, w->slot, (__u64)bpf_get_current_task_btf()->mm != w->mm);
	w->facts.dst = dst;
	w->facts.begin = w->held;
	w->facts.begin.mm_lock_seq = mm_lock_seq_at(w->mm);
	w->begin_ns = bpf_ktime_get_ns();
	w->unmaps = vma_log_head(w->mm, VMA_UNMAP);
	w->write_locks = vma_log_head(w->mm, VMA_WRITE_LOCK);
	w->kind = kind_of(&w->facts.begin);
	if (!w->locked)
		window_end(w, RELOCK_LOST);
}

/*
 * copy_page_failed() - the function that fills the page at @dst failed with @err; -ENOENT asks for
 * the retry.
 */
static __always_inline void copy_page_failed(__u64 dst, __s32 err)
{
	struct window *w = copy_of_current();

	if (w && err == -ENOENT)
		copy_failed(w, dst);
	else if (w)
		stop_note(dst, -err, SITE_PAGE);
}

/*
 * copy_unlocked() - the source faults at @address with faults enabled: the lock has been dropped by
 * now.
 */
static __always_inline void copy_unlocked(__u64 address)
{
	struct window *w = copy_of_current();

	if (w && !bpf_get_current_task_btf()->pagefault_disabled &&
	    address - w->copy.src < w->copy.len)
		window_bounded(w);
}

/* copy_fixup() - fixup_exception() handles a page fault at @address. */
static __always_inline void copy_fixup(__u64 address)
{
	struct window *w = copy_of_current();
	__u64 dst;

	/* hugetlb destinations have a copy loop of their own. */
	if (!w || !copy_faulted(w, address, &dst) || w->held.flags & VM_HUGETLB)
		return;
	if (bpf_get_current_task_btf()->pagefault_disabled)
		copy_failed(w, dst);
	else if (w->open)
		stop_note(w->facts.dst, EFAULT, SITE_SOURCE);
}

/* copy_passed() - the kernel's tests on the relocked VMA in @mm have passed. */
static __always_inline void copy_passed(struct mm_struct *mm)
{
	struct window *w = copy_of_current();

	if (!w || w->mm != (__u64)mm || !w->open)
		return;
	if (w->facts.kernel_answer == KERNEL_ANSWER_UNSEEN)
		w->facts.kernel_answer = KERNEL_ANSWER_SEEN;
	window_end(w, window_passed(w));
}

/*
 * copy_exit() - the copy loop returns @ret, bytes or an error. @changing: mmap_changing is raised.
 */
static __always_inline void copy_exit(struct window *w, bool changing, __s64 ret)
{
	__u32 result = w->open ? window_overtaken(w, changing, w->copy.dst, w->copy.len, ret)
			       : RELOCK_OK;

	stop_leave(NULL, w->copy.dst, w->copy.len, ret, w->open ? w : NULL, result);
	if (w->open)
		window_end(w, result);
	w->copy.len = 0;
	__sync_fetch_and_add(&copy_loops, -1);
	count_bytes(w->slot, ret);
	window_release(w);
}

#endif /* PLAN_INTERVAL_BPF_H */
