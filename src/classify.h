/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * From a window's facts to its class and to what each check would have said: one pure function.
 *
 * Compiled into the BPF object and into the host's unit tests, so that what is tested is what runs. Each check's
 * verdict is evaluated from its own facts, never derived from the class; where class and verdicts contradict
 * each other, the window is an anomaly.
 */
#ifndef CLASSIFY_H
#define CLASSIFY_H

#include "uffdretry.h"

/* Only macros: neither vmlinux.h nor another kernel header collides with it. */
#include <asm-generic/errno-base.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/*
 * What was stored is read anew. Else the verifier would go on with what it knows of the value on each path that led
 * there, and look at all that follows once for each.
 */
#define read_back() asm volatile("" ::: "memory")

#define BIT32(n) (1U << (n))

/* vm_flags bits that never moved (include/linux/mm.h). */
#define VM_RWX 0x7ULL
#define VM_SHARED 0x8ULL

#define ALL_CHECKS (BIT32(NR_CHECKS) - 1)

/* A _Bool, for an int would lose the flags above bit 31. */
static __always_inline __u32 reason_if(_Bool differs, __u32 reason)
{
	return differs ? BIT32(reason) : 0;
}

static __always_inline _Bool same_inode(const struct vma_facts *b, const struct vma_facts *e)
{
	return b->inode == e->inode && b->ino == e->ino;
}

/*
 * mfill_retry_state_changed() of 7.1 and later (85668fda932a), as a set of enum snapshot_reason.
 * An anonymous VMA (no file saved) is compared no further than that it still is one.
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
	/* A file has one inode all its life: with another one, the file at the same address is another too. */
	reasons |= reason_if(b->file != e->file || b->ino != e->ino, SNAPSHOT_DIFF_FILE);
	if (!e->file)
		return reasons;
	return reasons | reason_if(!same_inode(b, e), SNAPSHOT_DIFF_INODE) | reason_if(b->pgoff != e->pgoff, SNAPSHOT_DIFF_PGOFF);
}

/* The file page behind @dst, given the VMA it lies in. */
static __always_inline __u64 file_page(const struct vma_facts *v, __u64 dst)
{
	return v->pgoff + ((dst - v->start) >> 12);
}

/* Does the destination address still mean the same page? As a set of enum meaning_reason. */
static __always_inline __u32 meaning_diff(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;
	__u64 flags = b->flags ^ e->flags;
	__u32 reasons = reason_if(b->ctx != e->ctx, MEANING_DIFF_CTX) | reason_if(flags & w->uffd_mask, MEANING_DIFF_UFFD_FLAGS) |
			reason_if(flags & VM_SHARED, MEANING_DIFF_SHARED) |
			reason_if(b->uffd_ops != e->uffd_ops, MEANING_DIFF_OPS);

	if (b->uffd_ops == UFFD_OPS_ANON && e->uffd_ops == UFFD_OPS_ANON)
		return reasons;
	if (!same_inode(b, e))
		return reasons | BIT32(MEANING_DIFF_INODE);
	return reasons | reason_if(file_page(b, w->dst) != file_page(e, w->dst), MEANING_DIFF_OFFSET);
}

/* What changed about the same mapping that neither of the two looks at. */
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
 * Was the destination's VMA write-locked in the window? vma_start_write() stores the write section's (odd)
 * mm_lock_seq in vm_lock_seq, also in each VMA before it is inserted, and nobody could do so before the window, for it
 * began under the VMA's read lock. So a vm_lock_seq at or after the begin's mm_lock_seq was stored in the window, also
 * by a writer that was already asleep on the VMA when the window opened. Modulo 2^32.
 */
static __always_inline int was_write_locked(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;

	if (b->vma == e->vma && b->vm_lock_seq == e->vm_lock_seq)
		return 0;
	return (__s32)(e->vm_lock_seq - b->mm_lock_seq) >= 0;
}

static __always_inline __u32 checks_eagain(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;

	return reason_if(b->uffd_ops != e->uffd_ops, CHECK_OPS_POINTER) | reason_if(snapshot_diff(w), CHECK_SNAPSHOT) |
	       reason_if(b->vma != e->vma || b->vm_lock_seq != e->vm_lock_seq, CHECK_PER_VMA_SEQ) |
	       reason_if(b->mm_lock_seq != e->mm_lock_seq, CHECK_PER_MM_SEQ) |
	       reason_if(w->kernel_eagain, CHECK_KERNEL);
}

/* The checks that can be evaluated on a window that was re-taken. */
static __always_inline __u32 checks_reached(const struct window_facts *w)
{
	__u32 reached = ALL_CHECKS;

	if (w->kernel_answer == KERNEL_ANSWER_UNSEEN)
		reached &= ~BIT32(CHECK_KERNEL);
	if (w->seq == SEQ_NONE)
		reached &= ~(BIT32(CHECK_PER_VMA_SEQ) | BIT32(CHECK_PER_MM_SEQ));
	return reached;
}

/*
 * Without per-VMA locks it is only known that somebody took mmap_lock for writing, not what for: there is no `locked`.
 * The log of these also tells `quiet`; a wrapped one tells nothing.
 */
static __always_inline __u32 class_without_seq(const struct window_facts *w, const struct verdict *v)
{
	if (w->write_locked == SEEN_NO)
		return CLASS_QUIET;
	if (w->write_locked == SEEN_UNKNOWN || w->unmapped == SEEN_UNKNOWN)
		return CLASS_UNDETERMINED;
	if (w->unmapped == SEEN_YES)
		return CLASS_REPLACED;
	return v->tolerated_reasons ? CLASS_TOLERATED : CLASS_UNRELATED;
}

/* The classes that need the VMA again; the order of the tests is that of docs/reference/classes.md. */
static __always_inline __u32 class_of_relocked(const struct window_facts *w, const struct verdict *v)
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

/* The verdicts that a class implies, for the checks where it implies one: the table in docs/reference/classes.md. */
static __always_inline __u32 implied_eagain(__u32 class)
{
	const __u32 seqs = BIT32(CHECK_PER_VMA_SEQ) | BIT32(CHECK_PER_MM_SEQ);

	switch (class) {
	case CLASS_REAL:
	case CLASS_FALSE_ALARM:
		return BIT32(CHECK_SNAPSHOT) | seqs;
	case CLASS_HIDDEN:
	case CLASS_REPLACED:
	case CLASS_TOLERATED:
	case CLASS_LOCKED:
		return seqs;
	case CLASS_UNRELATED:
		return BIT32(CHECK_PER_MM_SEQ);
	default:
		return 0;
	}
}

/* The running kernel answered otherwise than the check that it is known to have. */
static __always_inline __u32 kernel_contradicts(const struct window_facts *w, const struct verdict *v)
{
	if (w->kernel_answer != KERNEL_ANSWER_SEEN || w->kernel_is >= NR_CHECKS)
		return 0;
	return !!w->kernel_eagain != !!(v->eagain & BIT32(w->kernel_is));
}

/*
 * A kernel that compares mm_lock_seq reads it at its own moments, and any writer may come between them and ours. All
 * else that is compared cannot change while the VMA is locked.
 */
static __always_inline __u32 read_at_the_same_time(const struct window_facts *w)
{
	return w->kernel_is != CHECK_PER_MM_SEQ || w->seq_between == SEEN_NO;
}

/* Do class and verdicts contradict each other, or the kernel the same check computed beside it? */
static __always_inline __u32 is_anomaly(const struct window_facts *w, const struct verdict *v)
{
	const __u32 implied = (BIT32(CHECK_SNAPSHOT) | BIT32(CHECK_PER_VMA_SEQ) | BIT32(CHECK_PER_MM_SEQ)) & v->reached;

	if ((v->eagain ^ implied_eagain(v->class)) & implied)
		return 1;
	/* Nobody took mmap_lock for writing, and the VMA is another one. */
	if (w->seq == SEQ_NONE && w->write_locked == SEEN_NO && v->class != CLASS_QUIET)
		return 1;
	return kernel_contradicts(w, v) && read_at_the_same_time(w);
}

/*
 * Nothing about the VMA differs, its vm_lock_seq neither, and the kernel let the copy pass: most windows by far. Then every
 * question below is answered, but for mm_lock_seq. Without a branch each, so that it costs a compare a member; and a function
 * of its own, for else the compiler would keep every member on the stack for what follows, of which BPF has 512 bytes.
 */
static __attribute__((noinline)) _Bool is_untouched(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;
	__u64 differs = (b->vma ^ e->vma) | (b->start ^ e->start) | (b->end ^ e->end) | (b->flags ^ e->flags) |
			(b->page_prot ^ e->page_prot) | (b->uffd_ops ^ e->uffd_ops) | (b->file ^ e->file) |
			(b->inode ^ e->inode) | (b->ino ^ e->ino) | (b->pgoff ^ e->pgoff) | (b->ctx ^ e->ctx) |
			(b->policy ^ e->policy) | (b->anon_name ^ e->anon_name) | (b->vm_lock_seq ^ e->vm_lock_seq) |
			w->kernel_eagain;

	/* Without a file and not anonymous: the kernel's check refuses that. */
	if (!b->file && b->uffd_ops != UFFD_OPS_ANON)
		return 0;
	return !differs && w->seq != SEQ_NONE && w->kernel_is != CHECK_PER_MM_SEQ;
}

/* What the general way says of such a window; the unit tests compare the two. */
static __always_inline void classify_untouched(const struct window_facts *w, struct verdict *v)
{
	_Bool moved = w->begin.mm_lock_seq != w->end.mm_lock_seq;

	v->class = moved ? CLASS_UNRELATED : CLASS_QUIET;
	v->reached = checks_reached(w);
	v->eagain = moved ? BIT32(CHECK_PER_MM_SEQ) : 0;
	v->kernel_answer = w->kernel_answer;
}

/* The general way, for a window that was re-taken: all of @v's reasons and verdicts are 0 yet. */
static __always_inline void classify_touched(const struct window_facts *w, struct verdict *v)
{
	v->snapshot_reasons = snapshot_diff(w);
	read_back();
	v->meaning_reasons = meaning_diff(w);
	read_back();
	v->tolerated_reasons = tolerated_diff(w);
	read_back();
	v->class = class_of_relocked(w, v);
	read_back();
	if (v->class != CLASS_TOLERATED)
		v->tolerated_reasons = 0;
	if (v->class == CLASS_UNDETERMINED)
		return;
	v->reached = checks_reached(w);
	v->eagain = checks_eagain(w) & v->reached;
	read_back();
	v->kernel_answer = w->kernel_answer;
	v->anomaly = is_anomaly(w, v);
	v->raced = kernel_contradicts(w, v) && !read_at_the_same_time(w) && w->seq_between == SEEN_YES;
	v->unwitnessed = w->seq != SEQ_NONE && was_write_locked(w) && w->write_locked == SEEN_NO;
}

/*
 * classify() - name a window and evaluate every check on it.
 * @w: the facts; @w->end is only read with RELOCK_OK.
 * @v: the result. Reasons and verdicts are set for the windows that reached the check, tolerated_reasons only for the
 *     class of that name.
 */
static __always_inline void classify(const struct window_facts *w, struct verdict *v)
{
	v->snapshot_reasons = 0;
	v->meaning_reasons = 0;
	v->tolerated_reasons = 0;
	v->reached = 0;
	v->eagain = 0;
	v->anomaly = 0;
	v->unwitnessed = 0;
	v->raced = 0;
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
	classify_touched(w, v);
}

/* --- Failures ------------------------------------------------------------------------------------------------------ */

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
 * site_untried() - where a copy loop ended that returned -@fail before it tried a page. mfill_get_vma() and its
 * predecessors return ENOENT, EINVAL and EAGAIN; mfill_establish_pmd(), which follows, the others.
 */
static __always_inline __u32 site_untried(__u32 fail)
{
	return fail == FAIL_EAGAIN || fail == FAIL_ENOENT || fail == FAIL_EINVAL ? SITE_LOCK : SITE_PAGE;
}

/* is_refusal() - does mmap_changing explain this failure? */
static __always_inline int is_refusal(__u32 fail, __u32 site)
{
	return fail == FAIL_EAGAIN && (site == SITE_ENTRY || site == SITE_LOCK || site == SITE_RELOCK);
}

#endif /* CLASSIFY_H */
