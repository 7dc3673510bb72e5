/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The candidate checks: what each would say of a window, from the window's facts alone. Pure
 * functions, compiled into the BPF object and into the host's unit tests alike.
 */
#ifndef CHECKS_H
#define CHECKS_H

#include "uffdretry.h"

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#else
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define barrier() asm volatile("" ::: "memory")
#endif
/* Only macros: neither vmlinux.h nor another kernel header collides with it. */
#include <asm-generic/errno-base.h>

#define BIT32(n) (1U << (n))

/* vm_flags bits that never moved (include/linux/mm.h). */
#define VM_EXEC 0x4ULL
#define VM_RWX 0x7ULL /* VM_READ | VM_WRITE | VM_EXEC */
#define VM_SHARED 0x8ULL
#define VM_HUGETLB 0x400000ULL

#define ALL_CHECKS (BIT32(NR_CHECKS) - 1)

/* @differs is a _Bool: an int would lose the flags above bit 31. */
static __always_inline __u32 reason_if(_Bool differs, __u32 reason)
{
	return differs ? BIT32(reason) : 0;
}

static __always_inline _Bool same_inode(const struct vma_facts *b, const struct vma_facts *e)
{
	return b->inode == e->inode && b->ino == e->ino;
}

/* The file page behind @dst, an address in the VMA @v. */
static __always_inline __u64 file_page(const struct vma_facts *v, __u64 dst, __u32 page_shift)
{
	return v->pgoff + ((dst - v->start) >> page_shift);
}

/*
 * snapshot_diff() - mfill_retry_state_changed() of 7.1 and later (85668fda932a). Returns a set of
 * enum snapshot_reason. A VMA without a file must only be anonymous still.
 */
static __always_inline __u32 snapshot_diff(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;
	__u64 flags = b->flags ^ e->flags;
	__u32 reasons = reason_if(flags & w->uffd_mask, SNAPSHOT_DIFF_UFFD_FLAGS) |
			reason_if(flags & VM_SHARED, SNAPSHOT_DIFF_SHARED) |
			reason_if(b->uffd_ops != e->uffd_ops, SNAPSHOT_DIFF_OPS);

	if (!b->file)
		return reasons | reason_if(e->uffd_ops != UFFD_OPS_ANON, SNAPSHOT_DIFF_FILE);
	/*
	 * A file keeps its inode: with another one, the file at the same address is another file.
	 */
	reasons |= reason_if(b->file != e->file || b->ino != e->ino, SNAPSHOT_DIFF_FILE);
	if (!e->file)
		return reasons;
	return reasons | reason_if(!same_inode(b, e), SNAPSHOT_DIFF_INODE) |
	       reason_if(b->pgoff != e->pgoff, SNAPSHOT_DIFF_PGOFF);
}

/*
 * address_differs() - the snapshot, with the page index of the destination in place of the VMA's
 * vm_pgoff: mfill_retry_state_changed() with the patches of contrib/kernel. @snapshot: the reasons
 * of snapshot_diff().
 */
static __always_inline _Bool address_differs(const struct window_facts *w, __u32 snapshot,
					     __u32 page_shift)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;

	if (snapshot & ~BIT32(SNAPSHOT_DIFF_PGOFF))
		return 1;
	return b->file && file_page(b, w->dst, page_shift) != file_page(e, w->dst, page_shift);
}

/*
 * checks_eagain() - the checks that would fail the copy. Returns a set of enum check; CHECK_KERNEL
 * is what the kernel did.
 */
static __always_inline __u32 checks_eagain(const struct window_facts *w, __u32 page_shift)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;
	__u32 snapshot = snapshot_diff(w);

	return reason_if(b->uffd_ops != e->uffd_ops, CHECK_OPS_POINTER) |
	       reason_if(snapshot, CHECK_SNAPSHOT) |
	       reason_if(address_differs(w, snapshot, page_shift), CHECK_ADDRESS) |
	       reason_if(b->vma != e->vma || b->vm_lock_seq != e->vm_lock_seq, CHECK_PER_VMA_SEQ) |
	       reason_if(b->mm_lock_seq != e->mm_lock_seq, CHECK_PER_MM_SEQ) |
	       reason_if(w->kernel_eagain, CHECK_KERNEL);
}

/* The checks that can be evaluated on a window with a relock. */
static __always_inline __u32 checks_reached(const struct window_facts *w)
{
	__u32 reached = ALL_CHECKS;

	if (w->kernel_answer == KERNEL_ANSWER_UNSEEN)
		reached &= ~BIT32(CHECK_KERNEL);
	if (w->seq == SEQ_NONE)
		reached &= ~(BIT32(CHECK_PER_VMA_SEQ) | BIT32(CHECK_PER_MM_SEQ));
	return reached;
}

#endif /* CHECKS_H */
