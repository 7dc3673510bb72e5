/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Plans retry_fn and retry_state: windows of kernels whose retry is in functions of its own, 7.1
 * and later.
 *
 * retry_fn hooks mfill_copy_folio_retry() as a whole; retry_state hooks the snapshot, its
 * comparison and the end of the page, where the compiler inlined that function.
 */
#ifndef PLAN_RETRY_BPF_H
#define PLAN_RETRY_BPF_H

#include "bpf/copy_stop.bpf.h"
#include "bpf/window.bpf.h"

#define MFILL_ATOMIC_MODE 3 /* of uffd_flags_t (enum mfill_atomic_mode): COPY is 0 */

/*
 * window_check_began() - the kernel has read mm_lock_seq, if its check does that, and still holds
 * @vma's lock.
 */
static __always_inline void window_check_began(struct vm_area_struct *vma)
{
	struct window *w = window_open_of_current((__u64)vma->vm_mm);

	if (w)
		w->facts.seq_between =
			mm_lock_seq_of(w->mm) != w->facts.begin.mm_lock_seq ? SEEN_YES : SEEN_NO;
}

/*
 * retry_began() - the kernel takes its snapshot of @vma and still holds the lock. A window of a hugetlb
 * destination has begun before that (hugetlb.bpf.h).
 */
static __always_inline void retry_began(struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_HUGETLB))
		window_begin(vma);
}

/* window_verdict() - the running kernel has compared. @changed: its answer. */
static __always_inline void window_verdict(struct window *w, bool changed)
{
	w->facts.kernel_answer = KERNEL_ANSWER_SEEN;
	w->facts.kernel_eagain = changed;
}

/*
 * A window relocked @vma that has no begin. Its page may fail by the kernel's check, as no page
 * without a window does.
 */
static __always_inline void window_without_begin(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;
	int slot = mm ? slot_of(mm) : -1;

	if (slot < 0)
		return;
	count_begin_unseen(slot, kind_of_vma(vma));
	stop_unseen_window();
}

/* window_checked() - the running kernel is about to compare @vma, locked again. */
static __always_inline void window_checked(struct vm_area_struct *vma)
{
	struct window *w = window_open_of_current((__u64)vma->vm_mm);

	if (!w)
		window_without_begin(vma);
	else if (!window_doubled(w))
		window_held(w, vma);
}

/* window_compared() - the running kernel has compared @vma, locked again. @changed: its answer. */
static __always_inline void window_compared(struct vm_area_struct *vma, bool changed)
{
	struct window *w = window_open_of_current((__u64)vma->vm_mm);

	if (!w) {
		if (!has_relock_probe)
			window_without_begin(vma);
		return;
	}
	if (!has_relock_probe && window_doubled(w))
		return;
	if (!w->relocked_ns)
		window_held(w, vma);
	window_verdict(w, changed);
}

/*
 * window_page() - the page of @state ended with @err. Only now its address is known, and where the
 * hook on the check was skipped, that there was a relock: the VMA is still locked.
 */
static __always_inline void window_page(struct window *w, struct mfill_state *state, __s32 err)
{
	if (state->vma && !w->relocked_ns)
		window_held(w, state->vma);
	if (!w->relocked_ns) {
		w->facts.dst = state->dst_addr;
		return;
	}
	window_located(w, state->dst_addr);
	/*
	 * Had the run at the end of an earlier page been skipped, the window might be that page's.
	 */
	if (state->dst_addr != state->dst_start && was_write_locked(&w->facts))
		w->silences |= 1U << SILENT_PAGE;
	if (w->facts.kernel_answer == KERNEL_ANSWER_UNSEEN)
		kernel_answered(&w->facts, page_shift, err);
}

/* get_vma_returned() - mfill_get_vma() returns @ret: with a window open it is the relock. */
static __always_inline void get_vma_returned(struct mfill_state *state, __s32 ret)
{
	struct window *w = window_open_of_current((__u64)state->ctx->mm);

	if (w && !ret)
		window_relocked(w, state->vma, state->dst_addr);
}

/*
 * retry_returned() - mfill_copy_folio_retry() returns @ret, with the VMA of @state locked again, or
 * NULL. With the VMA held, -EAGAIN is the check's answer; other errors come later, from
 * mfill_establish_pmd(). Without it the window ends with the page: page_returned() must find it open.
 */
static __always_inline void retry_returned(struct mfill_state *state, __s32 ret)
{
	struct window *w = window_open_of_current((__u64)state->ctx->mm);
	struct vm_area_struct *vma = state->vma;
	__u64 dst = state->dst_addr;

	if (!w) {
		if (vma)
			window_without_begin(vma);
		return;
	}
	if (ret)
		stop_note(dst, -ret, site_of_retry(vma, ret));
	if (!vma)
		return;
	if (!w->relocked_ns) {
		window_relocked(w, vma, dst);
		w->facts.seq_between = SEEN_UNKNOWN;
	} else if (mm_lock_seq_of(w->mm) != w->facts.end.mm_lock_seq) {
		w->facts.seq_between = SEEN_YES;
	}
	window_verdict(w, ret == -EAGAIN);
	window_close(w, window_passed(w));
}

/*
 * page_returned() - __mfill_atomic_pte() returns @ret for the page of @state. A page without a
 * locked VMA had a window: only a failed relock leaves none, or a source that could not be copied.
 */
static __always_inline void page_returned(struct mfill_state *state, __s32 ret)
{
	struct mm_struct *mm = state->ctx->mm;
	struct window *w = window_open_of_current((__u64)mm);
	struct unseen_end u = { .at = OPEN_AT_PAGE, .ret = ret };
	int slot;

	if (w)
		window_page(w, state, ret);
	if (ret && !(state->flags & MFILL_ATOMIC_MODE) && mm) {
		slot = slot_of(mm);
		if (slot >= 0)
			stop_note(state->dst_addr, -ret, site_of_page(w, state, ret));
		if (slot >= 0 && !w && !state->vma)
			count_begin_unseen(slot, KIND_ANON);
	}
	if (w)
		window_close(w, window_result(w, &u));
}

/*
 * copy_loop_returned() - mfill_atomic_copy() returns @ret for [@dst, @dst + @len): the bytes, why
 * there are no more, and the end of a window that was missed or has no other hook.
 */
static __always_inline void copy_loop_returned(struct userfaultfd_ctx *uffd, __u64 dst, __u64 len,
					       __s64 ret)
{
	struct mm_struct *mm = uffd->mm;
	__u32 result = RELOCK_OK;
	struct window *w;
	int slot;

	if (!mm)
		return;
	slot = slot_of(mm);
	w = window_open_of_current((__u64)mm);
	if (w)
		result = window_overtaken(w, uffd->mmap_changing.counter != 0, dst, len, ret);
	if (slot >= 0)
		stop_leave(uffd, dst, len, ret, w, result);
	if (w)
		window_close(w, result);
	if (slot >= 0)
		count_bytes(slot, ret);
}

#endif /* PLAN_RETRY_BPF_H */
