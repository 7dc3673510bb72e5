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
#include "bpf/maple_tree.bpf.h"
#include "bpf/window.bpf.h"

/* Tasks inside the copy loop: the only test of hooks that every task runs through. */
struct own_line copy_loops;

/*
 * copy_enter() - the current task enters the copy loop in @mm. Its window is taken now, and opened
 * when a copy fails. Returns it, or NULL when it is not traced or has no slot.
 */
static __always_inline struct window *copy_enter(__u64 mm)
{
	int slot = slot_of_at(mm);
	struct window *w;

	if (slot < 0)
		return NULL;
	w = window_take();
	if (!w) {
		count_lost(slot, LOST_MAP_FULL);
		return NULL;
	}
	/* Else the exit of the copy before was missed. */
	if (!w->looping)
		__sync_fetch_and_add(&copy_loops.value, 1);
	w->looping = 1;
	w->mm = mm;
	w->slot = slot;
	w->held = 0;
	w->failed = 0;
	return w;
}

/* copy_leave() - the current task leaves the copy loop. */
static __always_inline void copy_leave(struct window *w)
{
	w->looping = 0;
	__sync_fetch_and_add(&copy_loops.value, -1);
	window_release(w);
}

/* copy_of_current() - the window of the current task, which is in the copy loop, or NULL. */
static __always_inline struct window *copy_of_current(void)
{
	return *(volatile __u64 *)&copy_loops.value ? window_find() : NULL;
}

/* copy_at() - the window of the current task, which enters the loop of UFFDIO_COPY or is in it. */
static __always_inline struct window *copy_at(__u64 mm)
{
	struct window *w = copy_of_current();

	return w ?: copy_args_at() ? copy_enter(mm) : NULL;
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

/* copy_window_missed() - the copy that @w is kept for has a window whose begin was missed. */
static __always_inline void copy_window_missed(struct window *w, __u32 kind)
{
	window_undetermined(w->slot, kind, LOST_WINDOWS);
	stop_unseen_window();
}

/*
 * Is this lock of the copy to @start its second? Then @w has no begin, but the lock was dropped:
 * that was a window.
 */
static __always_inline bool copy_locks_again(const struct window *w, __u64 start)
{
	return !w->open && w->held && w->start == start;
}

/*
 * copy_locked() - uffd_lock_vma() returned @vma, locked, for the copy to @start: at first, or at
 * the relock. A second lock of the same copy without a window is a relock whose begin was missed.
 */
static __always_inline void copy_locked(struct window *w, __u64 start, struct vm_area_struct *vma)
{
	if (w->open && !window_doubled(w))
		window_relocked(w, vma, w->facts.dst);
	else if (copy_locks_again(w, start))
		copy_window_missed(w, kind_of_vma(vma));
	w->held = (__u64)vma;
	w->start = start;
}

/* copy_refused() - uffd_lock_vma() returned @err for the copy to @start. */
static __always_inline void copy_refused(struct window *w, __u64 start, __s64 err)
{
	bool missed = copy_locks_again(w, start);

	stop_note(w->open ? w->facts.dst : start, -err, site_of_refusal(-err, w->open || missed));
	if (w->open)
		window_end(w, err == -EAGAIN ? RELOCK_BLOCKED : RELOCK_GONE);
	else if (missed)
		copy_window_missed(w, KIND_ANON);
	w->held = 0;
}

/*
 * The VMA of @dst, which the copier has locked. Where the hook on the lock was skipped it is looked
 * up; until the drop it cannot change.
 */
static __always_inline struct vm_area_struct *copy_vma(const struct window *w, __u64 dst)
{
	return as_vma(w->held ?: vma_at(w->mm, dst));
}

/* Read the facts of a window that begins, and open it; not for hugetlb, which has its own loop. */
static __always_inline void copy_open(struct window *w, __u64 dst)
{
	struct vm_area_struct *vma = copy_vma(w, dst);
	struct mm_struct *mm = vma->vm_mm;

	if (!mm || vma->vm_flags & VM_HUGETLB)
		return;
	read_facts(&w->facts.begin, vma, mm);
	w->kind = kind_of(&w->facts.begin);
	window_open(w, w->mm, w->slot);
	w->held = 0;
}

/*
 * copy_failed() - the locked copy of the page at @dst failed; the lock is dropped next. Called once
 * or twice for the same failure, the last counts.
 */
static __always_inline void copy_failed(struct window *w, __u64 dst)
{
	/* A window of an earlier page, or of an earlier copy of this one: its end was missed. */
	if (w->open && (w->facts.dst != dst || w->relocked_ns || w->bounded_ns))
		window_end(w, window_passed(w));
	if (!w->open)
		copy_open(w, dst);
	if (!w->open)
		return;
	w->facts.dst = dst;
	w->facts.begin.mm_lock_seq = mm_lock_seq_of(w->mm);
	w->begin_ns = bpf_ktime_get_ns();
	w->unmaps = vma_log_head(w->mm, VMA_UNMAP);
	w->write_locks = vma_log_head(w->mm, VMA_WRITE_LOCK);
}

/*
 * copy_page_failed() - the function that fills the page at @dst failed with @err; -ENOENT asks for
 * the retry.
 */
static __always_inline void copy_page_failed(__u64 dst, __s32 err)
{
	struct window *w = copy_of_current();

	if (!w)
		return;
	if (err != -ENOENT)
		stop_note(dst, -err, SITE_PAGE);
	else if (copy_locks_vma())
		copy_failed(w, dst);
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

/*
 * copy_unreadable() - the page at @dst cannot be read, with faults enabled either. Called once or
 * more for the same failure. A lock that is still held by all we know had a window without a begin.
 */
static __always_inline void copy_unreadable(struct window *w, __u64 dst)
{
	stop_note(w->open ? w->facts.dst : dst, EFAULT, SITE_SOURCE);
	if (w->open)
		window_end(w, RELOCK_NEVER);
	else if (w->held)
		copy_window_missed(w, KIND_ANON);
	w->held = 0;
}

/* copy_fixup() - fixup_exception() handles a page fault at @address. */
static __always_inline void copy_fixup(__u64 address)
{
	struct window *w = copy_of_current();
	__u64 dst;

	if (!w || !copy_args_read(&w->copy, copy_args_at()) || !copy_faulted(w, address, &dst))
		return;
	if (bpf_get_current_task_btf()->pagefault_disabled)
		copy_failed(w, dst);
	else
		copy_unreadable(w, dst);
}

/*
 * copy_passed() - the kernel's tests on the VMA in @mm have passed: at first, or after the relock.
 */
static __always_inline void copy_passed(struct window *w, __u64 mm)
{
	if (w->mm != mm || !w->open)
		return;
	/* The hook on the relock was skipped. */
	if (!w->relocked_ns && copy_locks_vma())
		window_relocked(w, copy_vma(w, w->facts.dst), w->facts.dst);
	if (w->facts.kernel_answer == KERNEL_ANSWER_UNSEEN)
		w->facts.kernel_answer = KERNEL_ANSWER_SEEN;
	window_end(w, w->unlocked ? RELOCK_LOST : window_passed(w));
}

/*
 * copy_exit() - the copy loop of @uffd returns @ret, bytes or an error, for [@dst, @dst + @len).
 * @changing: mmap_changing is raised.
 */
static __always_inline void copy_exit(struct window *w, struct userfaultfd_ctx *uffd, bool changing,
				      __u64 dst, __u64 len, __s64 ret)
{
	__u32 result = w->open ? window_overtaken(w, changing, dst, len, ret) : RELOCK_OK;

	stop_leave(uffd, dst, len, ret, w->open ? w : NULL, result);
	if (w->open)
		window_end(w, result);
	count_bytes(w->slot, ret);
	copy_leave(w);
}

/*
 * copy_exit_unseen() - the copy loop in @mm returns @ret as copy_exit(), and was not seen to begin:
 * that run was skipped. Only a hugetlb destination has a window then.
 */
static __always_inline void copy_exit_unseen(struct mm_struct *mm, bool changing, __u64 dst,
					     __u64 len, __s64 ret)
{
	struct window *w = window_of_current((__u64)mm);
	int slot = slot_of(mm);

	if (slot < 0)
		return;
	if (ret != (__s64)len)
		stop_unknown(dst, ret);
	count_bytes(slot, ret);
	if (w && w->open)
		window_close(w, window_overtaken(w, changing, dst, len, ret));
}

/*
 * copy_returned() - UFFDIO_COPY returns @ret. If the current task still is in the copy loop, the
 * run at the loop's exit was skipped: a note that is not left says so.
 */
static __always_inline void copy_returned(__s64 ret)
{
	struct window *w = copy_of_current();
	struct copy_stop *s;

	if (!w || !w->looping)
		return;
	if (w->open)
		window_end(w, RELOCK_LOST);
	copy_leave(w);
	s = ret < 0 ? stop_take() : NULL;
	if (s)
		s->noted = 1;
}

#endif /* PLAN_INTERVAL_BPF_H */
