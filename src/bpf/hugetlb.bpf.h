/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Windows of hugetlb destinations, beside any plan of kernels 6.12 and later: mfill_atomic_hugetlb() kept the loop that
 * the other destinations had before 7.1, and has no check of what became of the VMA.
 *
 * The begin is early by two unlocks and a cond_resched(), with the VMA still read-locked.
 */
#ifndef HUGETLB_BPF_H
#define HUGETLB_BPF_H

#include "bpf/failure.bpf.h"

/*
 * hugetlb_tried() - hugetlb_mfill_atomic_pte() returned @err for the page at @dst of @vma, which is locked. @copying: it
 * serves UFFDIO_COPY.
 * It is called again after the re-take, when the VMA has passed every test; -ENOENT asks for the retry, nothing else.
 */
static __always_inline void hugetlb_tried(struct vm_area_struct *vma, __u64 dst, bool copying, __s32 err)
{
	struct window *w = window_of_current((__u64)vma->vm_mm);

	if (w && w->open)
		window_close(w, w->relocked_ns ? RELOCK_OK : RELOCK_LOST);
	if (err && err != -ENOENT && copying && slot_of(vma->vm_mm) >= 0)
		cause_note(dst, -err, SITE_PAGE);
	if (err != -ENOENT)
		return;
	w = window_begin(vma);
	if (!w)
		return;
	/* Unlike the other loops this one compares nothing on any kernel. */
	w->facts.kernel_answer = KERNEL_ANSWER_NONE;
	w->facts.dst = dst;
}

/* hugetlb_relocked() - the lock in a window of a hugetlb destination: @vma locked, or an error in @ret. */
static __always_inline void hugetlb_relocked(struct window *w, struct vm_area_struct *vma, __s64 ret)
{
	if (IS_ERR_VALUE(ret))
		cause_note(w->facts.dst, -ret, site_of_refusal(-ret, true));
	if (ret == -EAGAIN)
		window_close(w, RELOCK_BLOCKED);
	else if (IS_ERR_VALUE(ret))
		window_close(w, RELOCK_GONE);
	else
		window_relocked(w, vma, w->facts.dst);
}

#endif /* HUGETLB_BPF_H */
