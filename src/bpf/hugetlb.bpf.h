/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Windows of hugetlb destinations, beside any plan of 6.12 and later: mfill_atomic_hugetlb() kept
 * the loop that the other destinations had before 7.1. On released kernels it compares neither the
 * file nor the offset after the retry; with the patches of contrib/kernel it has the check `address`.
 *
 * The begin is early by two unlocks and a cond_resched(), with the VMA still read-locked. Where its
 * hook was skipped, it is early by the copy that failed, too: the facts are those of the page's
 * entry.
 */
#ifndef HUGETLB_BPF_H
#define HUGETLB_BPF_H

#include "bpf/copy_stop.bpf.h"
#include "bpf/window.bpf.h"

/* hugetlb_answer() - what can be known of the kernel's own check: an enum kernel_answer. */
static __always_inline __u32 hugetlb_answer(void)
{
	return kernel_is == CHECK_ADDRESS ? KERNEL_ANSWER_UNSEEN : KERNEL_ANSWER_NONE;
}

/* hugetlb_passed() - the page of @w got past every test, also the kernel's check. */
static __always_inline void hugetlb_passed(struct window *w)
{
	if (w->facts.kernel_answer == KERNEL_ANSWER_UNSEEN)
		w->facts.kernel_answer = KERNEL_ANSWER_SEEN;
	window_close(w, window_passed(w));
}

/*
 * hugetlb_enter() - the page at @dst of @vma, which is locked, is about to be copied. @again: for
 * the second time, after its window; the relocked VMA has passed every test. A window that is open
 * the first time is of an earlier copy, whose end was missed.
 */
static __always_inline void hugetlb_enter(struct vm_area_struct *vma, __u64 dst, bool again)
{
	struct mm_struct *mm = vma->vm_mm;
	struct window *w = window_open_of_current((__u64)mm);
	int slot;

	if (w && again) {
		if (!w->relocked_ns)
			window_relocked(w, vma, dst);
		hugetlb_passed(w);
	} else if (w) {
		window_close(w, RELOCK_LOST);
	}
	if (again)
		return;
	slot = mm ? slot_of(mm) : -1;
	w = slot < 0 ? NULL : window_take();
	if (!w)
		return;
	read_facts(&w->facts.begin, vma, mm);
	w->facts.dst = dst;
	w->slot = slot;
	w->mm = (__u64)mm;
	w->kind = KIND_HUGETLB;
	w->held = (__u64)vma;
}

/*
 * hugetlb_tried() - hugetlb_mfill_atomic_pte() returned @err for the page at @dst of @vma, which is
 * locked. @copying: for UFFDIO_COPY. -ENOENT asks for the retry; any other end with a window open
 * means that the relocked VMA passed every test.
 */
static __always_inline void hugetlb_tried(struct vm_area_struct *vma, __u64 dst, bool copying,
					  __s32 err)
{
	struct window *w = window_find();

	if (w && w->open)
		hugetlb_passed(w);
	else if (w && err != -ENOENT && !w->looping)
		window_release(w);
	if (err && err != -ENOENT && copying && slot_of(vma->vm_mm) >= 0)
		stop_note(dst, -err, SITE_PAGE);
	if (err != -ENOENT)
		return;
	w = window_begin(vma);
	if (!w)
		return;
	w->facts.kernel_answer = hugetlb_answer();
	w->facts.dst = dst;
	w->held = 0;
}

/*
 * hugetlb_dropped() - the current task copies a huge page with faults enabled and without a lock.
 */
static __always_inline void hugetlb_dropped(void)
{
	struct window *w = window_find();

	if (!w)
		return;
	/* The hook on the begin was skipped. */
	if (!w->open && w->held && w->kind == KIND_HUGETLB) {
		window_open(w, w->mm, w->slot);
		w->facts.kernel_answer = hugetlb_answer();
		w->held = 0;
	}
	window_bounded(w);
}

/*
 * hugetlb_copied() - the copy of a huge page with faults enabled left @left bytes uncopied: the
 * source is unreadable.
 */
static __always_inline void hugetlb_copied(__u64 left)
{
	struct window *w = window_find();

	if (!left || !w || !w->open || w->kind != KIND_HUGETLB)
		return;
	stop_note(w->facts.dst, EFAULT, SITE_SOURCE);
	window_close(w, RELOCK_NEVER);
}

/* hugetlb_window() - the current task's window of a hugetlb destination in @mm, or NULL. */
static __always_inline struct window *hugetlb_window(struct mm_struct *mm)
{
	struct window *w = window_open_of_current((__u64)mm);

	return w && w->kind == KIND_HUGETLB ? w : NULL;
}

/* hugetlb_relocked() - the relock returned @vma, locked, or an error in @ret. */
static __always_inline void hugetlb_relocked(struct window *w, struct vm_area_struct *vma,
					     __s64 ret)
{
	if (window_doubled(w)) {
		if (!w->looping)
			window_release(w);
		return;
	}
	if (!IS_ERR_VALUE(ret)) {
		window_relocked(w, vma, w->facts.dst);
		return;
	}
	stop_note(w->facts.dst, -ret, site_of_refusal(-ret, true));
	window_close(w, ret == -EAGAIN ? RELOCK_BLOCKED : RELOCK_GONE);
}

#endif /* HUGETLB_BPF_H */
