/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Pure functions from facts to words: a window's class, how a window ended whose end was not seen,
 * and what an errno of a fill ioctl stands for.
 *
 * Compiled into the BPF object and into the host's unit tests, so the tested code is the code that
 * runs. Each check's verdict comes from its own facts, never from the class; where class and
 * verdicts contradict each other, the window is an anomaly.
 */
#ifndef CLASSIFY_H
#define CLASSIFY_H

#include "checks.h"

/*
 * meaning_diff() - does the destination still mean the same page? Returns a set of enum
 * meaning_reason.
 */
static __always_inline __u32 meaning_diff(const struct window_facts *w, __u32 page_shift)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;
	__u64 flags = b->flags ^ e->flags;
	__u32 reasons = reason_if(b->ctx != e->ctx, MEANING_DIFF_CTX) |
			reason_if(flags & w->uffd_mask, MEANING_DIFF_UFFD_FLAGS) |
			reason_if(flags & VM_SHARED, MEANING_DIFF_SHARED) |
			reason_if(b->uffd_ops != e->uffd_ops, MEANING_DIFF_OPS);

	if (b->uffd_ops == UFFD_OPS_ANON && e->uffd_ops == UFFD_OPS_ANON)
		return reasons;
	if (!same_inode(b, e))
		return reasons | BIT32(MEANING_DIFF_INODE);
	return reasons |
	       reason_if(file_page(b, w->dst, page_shift) != file_page(e, w->dst, page_shift),
			 MEANING_DIFF_OFFSET);
}

/*
 * tolerated_diff() - what changed that neither of the two looks at. Returns a set of enum
 * tolerated_reason.
 */
static __always_inline __u32 tolerated_diff(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;
	__u64 flags = b->flags ^ e->flags;

	return reason_if(b->start != e->start || b->end != e->end, TOLERATED_DIFF_RANGE) |
	       reason_if(flags & ~(w->uffd_mask | VM_SHARED | VM_RWX), TOLERATED_DIFF_FLAGS) |
	       reason_if((flags & VM_RWX) || b->page_prot != e->page_prot, TOLERATED_DIFF_PROT) |
	       reason_if(b->policy != e->policy, TOLERATED_DIFF_POLICY) |
	       reason_if(b->anon_name != e->anon_name, TOLERATED_DIFF_NAME);
}

/*
 * was_write_locked() - was the destination's VMA write-locked in the window? vma_start_write()
 * stores the write section's (odd) mm_lock_seq in vm_lock_seq. The window began under the VMA's
 * read lock, so a vm_lock_seq at or after the begin's mm_lock_seq was stored in the window. Modulo
 * 2^32.
 */
static __always_inline int was_write_locked(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;

	if (b->vma == e->vma && b->vm_lock_seq == e->vm_lock_seq)
		return 0;
	return (__s32)(e->vm_lock_seq - b->mm_lock_seq) >= 0;
}

/*
 * Without per-VMA locks only the log of all write sections tells `quiet`, and nothing tells
 * `locked`.
 */
static __always_inline __u32 class_without_seq(const struct window_facts *w,
					       const struct verdict *v)
{
	if (w->write_locked == SEEN_NO)
		return CLASS_QUIET;
	if (w->write_locked == SEEN_UNKNOWN || w->unmapped == SEEN_UNKNOWN)
		return CLASS_UNDETERMINED;
	if (w->unmapped == SEEN_YES)
		return CLASS_REPLACED;
	return v->tolerated_reasons ? CLASS_TOLERATED : CLASS_UNRELATED;
}

/*
 * The class of a window with a relock; the order of the tests is that of docs/reference/classes.md.
 */
static __always_inline __u32 class_of_relocked(const struct window_facts *w,
					       const struct verdict *v)
{
	if (v->snapshot_reasons)
		return v->meaning_reasons ? CLASS_REAL : CLASS_FALSE_ALARM;
	if (v->meaning_reasons)
		return CLASS_HIDDEN;
	if (w->seq == SEQ_NONE)
		return class_without_seq(w, v);
	if (was_write_locked(w)) {
		if (w->unmapped == SEEN_UNKNOWN)
			return CLASS_UNDETERMINED;
		if (w->unmapped == SEEN_YES)
			return CLASS_REPLACED;
		return v->tolerated_reasons ? CLASS_TOLERATED : CLASS_LOCKED;
	}
	return w->begin.mm_lock_seq != w->end.mm_lock_seq ? CLASS_UNRELATED : CLASS_QUIET;
}

/*
 * is_file_unsure() - was the address unmapped, and is a file of the same inode at the old one's
 * address? Only a kernel that keeps the file open from the begin to its check makes sure that it is
 * the same open file. If it is another, `replaced` is `false_alarm` and `hidden` is `real`.
 */
static __always_inline __u32 is_file_unsure(const struct window_facts *w, const struct verdict *v)
{
	return (v->class == CLASS_REPLACED || v->class == CLASS_HIDDEN) && w->begin.file &&
	       w->kernel_answer == KERNEL_ANSWER_NONE && w->unmapped != SEEN_NO;
}

/* The verdicts that a class implies: the table in docs/reference/classes.md. */
static __always_inline __u32 implied_eagain(__u32 class)
{
	const __u32 set = CLASS_SET(class);

	return reason_if(set & CLASSES_FAIL_SNAPSHOT, CHECK_SNAPSHOT) |
	       reason_if(set & CLASSES_FAIL_PER_VMA, CHECK_PER_VMA_SEQ) |
	       reason_if(set & CLASSES_FAIL_PER_MM, CHECK_PER_MM_SEQ);
}

/* Did the running kernel answer otherwise than the check that it is known to have? */
static __always_inline __u32 kernel_contradicts(const struct window_facts *w,
						const struct verdict *v)
{
	if (w->kernel_answer != KERNEL_ANSWER_SEEN || w->kernel_is >= NR_CHECKS)
		return 0;
	return !!w->kernel_eagain != !!(v->eagain & BIT32(w->kernel_is));
}

/*
 * Only mm_lock_seq can change while the VMA is locked: a writer may come between the kernel's
 * reading of it and ours.
 */
static __always_inline __u32 read_at_the_same_time(const struct window_facts *w)
{
	return w->kernel_is != CHECK_PER_MM_SEQ || w->seq_between == SEEN_NO;
}

/* Do class and verdicts contradict each other, or the kernel the same check computed beside it? */
static __always_inline __u32 is_anomaly(const struct window_facts *w, const struct verdict *v)
{
	const __u32 implied =
		(BIT32(CHECK_SNAPSHOT) | BIT32(CHECK_PER_VMA_SEQ) | BIT32(CHECK_PER_MM_SEQ)) &
		v->reached;

	if ((v->eagain ^ implied_eagain(v->class)) & implied)
		return 1;
	/* No write section, and yet something changed. */
	if (w->seq == SEQ_NONE && w->write_locked == SEEN_NO && v->class != CLASS_QUIET)
		return 1;
	/* A write section had begun before mm_lock_seq was read the second time, unmoved. */
	if (w->written == SEEN_YES && w->begin.mm_lock_seq == w->end.mm_lock_seq)
		return 1;
	return kernel_contradicts(w, v) && read_at_the_same_time(w);
}

/*
 * is_untouched() - nothing about the VMA differs, and the kernel let the copy pass: most windows by
 * far. Only mm_lock_seq is left to compare. One branch for all members; not inlined, because the
 * compiler would keep every member on the 512 bytes of BPF stack.
 */
static __attribute__((noinline)) _Bool is_untouched(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;
	__u64 differs = (b->vma ^ e->vma) | (b->start ^ e->start) | (b->end ^ e->end) |
			(b->flags ^ e->flags) | (b->page_prot ^ e->page_prot) |
			(b->uffd_ops ^ e->uffd_ops) | (b->file ^ e->file) | (b->inode ^ e->inode) |
			(b->ino ^ e->ino) | (b->pgoff ^ e->pgoff) | (b->ctx ^ e->ctx) |
			(b->policy ^ e->policy) | (b->anon_name ^ e->anon_name) |
			(b->vm_lock_seq ^ e->vm_lock_seq) | w->kernel_eagain;

	/* The kernel's check fails a VMA without a file that is not anonymous. */
	if (!b->file && b->uffd_ops != UFFD_OPS_ANON)
		return 0;
	return !differs && w->seq != SEQ_NONE && w->kernel_is != CHECK_PER_MM_SEQ &&
	       w->written != SEEN_YES;
}

/* The same result as classify_touched() for such a window; the unit tests compare the two. */
static __always_inline void classify_untouched(const struct window_facts *w, struct verdict *v)
{
	_Bool moved = w->begin.mm_lock_seq != w->end.mm_lock_seq;

	v->class = moved ? CLASS_UNRELATED : CLASS_QUIET;
	v->reached = checks_reached(w);
	v->eagain = moved ? BIT32(CHECK_PER_MM_SEQ) : 0;
	v->kernel_answer = w->kernel_answer;
}

/*
 * Any window with a relock. On entry @v's reasons and verdicts are 0. Each barrier() makes the
 * verifier forget what it knows of a stored value; else it would follow each path that led there
 * separately.
 */
static __always_inline void classify_touched(const struct window_facts *w, __u32 page_shift,
					     struct verdict *v)
{
	v->snapshot_reasons = snapshot_diff(w);
	barrier();
	v->meaning_reasons = meaning_diff(w, page_shift);
	barrier();
	v->tolerated_reasons = tolerated_diff(w);
	barrier();
	v->class = class_of_relocked(w, v);
	barrier();
	if (v->class != CLASS_TOLERATED)
		v->tolerated_reasons = 0;
	if (v->class == CLASS_UNDETERMINED)
		return;
	v->reached = checks_reached(w);
	v->eagain = checks_eagain(w, page_shift) & v->reached;
	barrier();
	v->kernel_answer = w->kernel_answer;
	v->anomaly = is_anomaly(w, v);
	v->raced = kernel_contradicts(w, v) && !read_at_the_same_time(w) &&
		   w->seq_between == SEEN_YES;
	v->file_unsure = is_file_unsure(w, v);
	v->unwitnessed = w->seq != SEQ_NONE && was_write_locked(w) && w->write_locked == SEEN_NO;
}

/*
 * classify() - name a window and evaluate every check on it.
 * @w: the facts; @w->end is only read with RELOCK_OK.
 * @page_shift: of the kernel's pages.
 * @v: the result. Reasons and verdicts are set for windows that reached the check,
 *     tolerated_reasons only for the class of that name.
 */
static __always_inline void classify(const struct window_facts *w, __u32 page_shift,
				     struct verdict *v)
{
	v->snapshot_reasons = 0;
	v->meaning_reasons = 0;
	v->tolerated_reasons = 0;
	v->reached = 0;
	v->eagain = 0;
	v->anomaly = 0;
	v->unwitnessed = 0;
	v->raced = 0;
	v->file_unsure = 0;
	v->odd_start = w->seq == SEQ_COUNT && (w->begin.mm_lock_seq & 1);
	v->kernel_answer = KERNEL_ANSWER_UNSEEN;

	switch (w->relock_result) {
	case RELOCK_OK:
		break;
	case RELOCK_NEVER:
		v->class = CLASS_ABORTED;
		return;
	case RELOCK_BLOCKED:
		v->class = CLASS_BLOCKED;
		return;
	case RELOCK_GONE:
		v->class = CLASS_GONE;
		return;
	default:
		v->class = CLASS_UNDETERMINED;
		return;
	}

	if (is_untouched(w)) {
		classify_untouched(w, v);
		return;
	}
	classify_touched(w, page_shift, v);
}

/* kernel_would_pass() - would the check that this kernel is known to have pass the window? */
static __always_inline _Bool kernel_would_pass(const struct window_facts *f, __u32 page_shift)
{
	return f->kernel_is < NR_CHECKS && !(checks_eagain(f, page_shift) & BIT32(f->kernel_is));
}

/*
 * kernel_answered() - the page of a window with a relock ended with @err: the answer of the
 * kernel's check, which no hook saw. -EAGAIN may also mean that the page table is gone
 * (pte_offset_map_lock() in mfill_atomic_install_pte()): it is the check's unless the check that
 * this kernel is known to have would have passed.
 */
static __always_inline void kernel_answered(struct window_facts *f, __u32 page_shift, __s64 err)
{
	if (err == -EAGAIN && kernel_would_pass(f, page_shift))
		return;
	f->kernel_answer = KERNEL_ANSWER_SEEN;
	f->kernel_eagain = err == -EAGAIN;
}

/* --- How a window ended whose end was not seen ------------------------------------------------ */

/* What the task was seen to do while its window was still open. */
enum open_at {
	OPEN_AT_NEXT, /* it begins another window */
	OPEN_AT_PAGE, /* the function that fills the page returns */
	OPEN_AT_LOOP, /* the copy loop returns */
};

struct unseen_end {
	__u32 at;	  /* enum open_at */
	_Bool relocked;	  /* the VMA was seen locked again: facts.end is there */
	_Bool page_hook;  /* the plan sees each page's end; relocked: the tests passed */
	_Bool changing;	  /* mmap_changing is raised */
	_Bool by_fault;	  /* the lock that was seen may have been one of a fault */
	_Bool would_pass; /* hugetlb: the check that this kernel has would pass */
	__s64 ret;	  /* a negative errno, 0, or of the copy loop the bytes copied */
	__u64 len;	  /* bytes that the copy loop was asked for */
	__u64 end;	  /* and where they end */
};

/*
 * A page returned. Without a relock, 0 and -EEXIST come too late to have been that window's end:
 * the relock was missed.
 */
static __always_inline __u32 unseen_page(const struct unseen_end *u)
{
	if (u->relocked)
		return RELOCK_OK;
	switch (u->ret) {
	case 0:
	case -EEXIST:
		return RELOCK_LOST;
	case -EFAULT:
		return RELOCK_NEVER;
	case -EAGAIN:
		return RELOCK_BLOCKED;
	default:
		return RELOCK_GONE;
	}
}

/*
 * The VMA was locked again, and the copy loop ended before a test was seen to pass. With bytes
 * copied, the reason must come from the kernel's own tests, in their order: range and registration
 * (-ENOENT), @changing (-EAGAIN), the VMA's kind (-EINVAL), the kernel's check (-EAGAIN). See
 * mfill_atomic(), mfill_get_vma() and mfill_atomic_hugetlb().
 */
static __always_inline __u32 unseen_test(struct window_facts *f, const struct unseen_end *u)
{
	/* The source may not have survived that fault. */
	if (u->ret == -EFAULT && u->by_fault)
		return RELOCK_LOST;
	if (u->ret < 0 && u->ret != -EAGAIN)
		return u->ret == -ENOENT || u->ret == -EINVAL ? RELOCK_GONE : RELOCK_OK;
	if (u->ret > 0 && (!f->end.ctx || f->end.end < u->end))
		return RELOCK_GONE;
	if (u->changing)
		return RELOCK_BLOCKED;
	/* Of hugetlb destinations the kind comes before the check. */
	if (u->ret > 0 && f->begin.flags & VM_HUGETLB && f->end.uffd_ops != f->begin.uffd_ops)
		return RELOCK_GONE;
	if (f->kernel_answer != KERNEL_ANSWER_NONE && !u->would_pass) {
		f->kernel_answer = KERNEL_ANSWER_SEEN;
		f->kernel_eagain = 1;
		return RELOCK_OK;
	}
	if (u->ret > 0 && f->end.uffd_ops != f->begin.uffd_ops)
		return RELOCK_GONE;
	/*
	 * A hugetlb page passes unseen with -EEXIST; elsewhere the event that blocked the copy was
	 * read since.
	 */
	return u->ret > 0 && f->begin.flags & VM_HUGETLB ? RELOCK_OK : RELOCK_BLOCKED;
}

/*
 * The copy loop returned, and no relock was seen. Only a source that cannot be copied gives -EFAULT.
 * A huge page's next try has a hook: before it, only the relock and the tests after it give these
 * errors, each for the same end. The kernel's check gives -EAGAIN, too.
 */
static __always_inline __u32 unseen_relock(const struct window_facts *f, const struct unseen_end *u)
{
	if (u->ret == -EFAULT)
		return RELOCK_NEVER;
	if (u->by_fault || !(f->begin.flags & VM_HUGETLB))
		return RELOCK_LOST;
	if (u->ret == -ENOENT || u->ret == -EINVAL)
		return RELOCK_GONE;
	return u->ret == -EAGAIN && f->kernel_answer == KERNEL_ANSWER_NONE ? RELOCK_BLOCKED
									   : RELOCK_LOST;
}

/*
 * The copy loop returned. Where the page's end has a hook, that was skipped, and only a relock that
 * was seen tells what happened.
 */
static __always_inline __u32 unseen_loop(struct window_facts *f, const struct unseen_end *u)
{
	if (u->page_hook)
		return u->relocked ? RELOCK_OK : RELOCK_LOST;
	if (!u->relocked)
		return unseen_relock(f, u);
	return u->ret == (__s64)u->len ? RELOCK_OK : unseen_test(f, u);
}

/*
 * unseen_end() - how a window ended whose end was not seen: its program was skipped, or the plan
 * has no hook there.
 * @f: the window's facts; kernel_answer and kernel_eagain are set where only the kernel's check
 *     explains the end.
 * Returns an enum relock_result, RELOCK_LOST where more than one end is possible.
 */
static __always_inline __u32 unseen_end(struct window_facts *f, const struct unseen_end *u)
{
	switch (u->at) {
	case OPEN_AT_PAGE:
		return unseen_page(u);
	case OPEN_AT_LOOP:
		return unseen_loop(f, u);
	default:
		return u->relocked && u->page_hook ? RELOCK_OK : RELOCK_LOST;
	}
}

/*
 * is_silent_end() - does the end @result of a window follow from a silence: that no hook was seen
 * to run which sees the kernel's tests pass?
 */
static __always_inline _Bool is_silent_end(const struct unseen_end *u, __u32 result)
{
	return u->at == OPEN_AT_LOOP && u->relocked && !u->page_hook &&
	       (u->ret > 0 ? u->ret < (__s64)u->len : u->ret == -EAGAIN) && result != RELOCK_LOST;
}

/* --- Failures --------------------------------------------------------------------------------- */

/* fail_errno_of() - the index of @e, a positive errno. */
static __always_inline __u32 fail_errno_of(__u32 e)
{
	switch (e) {
	case EAGAIN:
		return FAIL_EAGAIN;
	case EEXIST:
		return FAIL_EEXIST;
	case ENOENT:
		return FAIL_ENOENT;
	case EFAULT:
		return FAIL_EFAULT;
	case ENOMEM:
		return FAIL_ENOMEM;
	case EINVAL:
		return FAIL_EINVAL;
	case ESRCH:
		return FAIL_ESRCH;
	case ENOSPC:
		return FAIL_ENOSPC;
	case EINTR:
		return FAIL_EINTR;
	default:
		return FAIL_OTHER;
	}
}

/*
 * site_untried() - where a copy loop ended that returned -@fail before it tried a page.
 * mfill_get_vma() and its predecessors return ENOENT, EINVAL and EAGAIN; mfill_establish_pmd(),
 * which follows, the others.
 */
static __always_inline __u32 site_untried(__u32 fail)
{
	return fail == FAIL_EAGAIN || fail == FAIL_ENOENT || fail == FAIL_EINVAL ? SITE_LOCK
										 : SITE_PAGE;
}

/* is_refusal() - does mmap_changing explain this failure? */
static __always_inline int is_refusal(__u32 fail, __u32 site)
{
	return fail == FAIL_EAGAIN &&
	       (site == SITE_ENTRY || site == SITE_LOCK || site == SITE_RELOCK);
}

#endif /* CLASSIFY_H */
