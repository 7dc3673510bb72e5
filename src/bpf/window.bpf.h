/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * A retry window from begin to end; the plans' hooks call these.
 *
 * A task has at most one window open, for the kernel handles one page of one ioctl at a time.
 */
#ifndef WINDOW_BPF_H
#define WINDOW_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "classify.h"
#include "bpf/compat.bpf.h"
#include "bpf/target.bpf.h"
#include "bpf/vma_log.bpf.h"
#include "bpf/count.bpf.h"
#include "bpf/relock.bpf.h"
#include "bpf/writer.bpf.h"
#include "bpf/event.bpf.h"
#include "bpf/retry_chain.bpf.h"
#include "bpf/task_slot.bpf.h"

#define VM_HUGETLB 0x400000ULL
#define IS_ERR_VALUE(v) ((__u64)(v) >= (__u64)-4095)

/* vm_flags bits that are userfaultfd modes here: MISSING, WP, MINOR, and RWP where the kernel has it. */
const volatile __u64 has_uffd_mask = 0;
/* __vma_start_write() is hooked, so a write-locked VMA must show up in the change log. */
volatile bool has_write_lock_hook = false;
/* After a retry this kernel compares something, except for hugetlb destinations. */
const volatile bool has_kernel_check = false;
/* What it compares: an enum check, NR_CHECKS as long as that is not known. The self-test finds out. */
volatile __u32 kernel_is = NR_CHECKS;

struct window {
	struct window_facts facts;
	struct verdict verdict;
	/* Plans interval and legacy: the copy that the task is in; interval: and the VMA that it last locked. */
	struct vma_facts held;
	struct {
		__u64 dst;
		__u64 src;
		__u64 len;
	} copy;
	__u64 mm;
	__u64 begin_ns;
	__u64 bounded_ns; /* when the lock was surely dropped, 0: not seen */
	__u64 relocked_ns; /* when the VMA was taken again: facts.end is there; 0: not yet */
	__u64 unmaps;	  /* heads of the change logs at the begin */
	__u64 write_locks;
	__u64 unmaps_end; /* and when the VMA was taken again */
	__u64 write_locks_end;
	__u32 owner; /* the copier's tid, 0: free */
	__u32 slot;
	__u32 kind;
	__u32 external;
	__u32 open;	    /* begun, and not ended */
	__u32 locked;	    /* plan interval: held is there */
	__u32 failed;	    /* plan legacy: the copy failed, the lock is not dropped yet */
	__u32 first_writer; /* without a seqcount: writer_head() at the begin */
	struct writer_set writers;
	__u32 pad;
	struct relock relock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_TASK_SLOTS);
	__type(key, __u32);
	__type(value, struct window);
} windows SEC(".maps");

static __always_inline struct window *window_at(__u32 tid, __u32 way)
{
	__u32 i = task_slot_index(tid, way);

	return bpf_map_lookup_elem(&windows, &i);
}

/* Note what the destination VMA is. The caller's task holds @vma's read lock. */
static __always_inline void read_facts(struct vma_facts *f, struct vm_area_struct *vma, struct mm_struct *mm)
{
	struct file *file = vma->vm_file;

	f->vma = (__u64)vma;
	f->start = vma->vm_start;
	f->end = vma->vm_end;
	f->flags = vma->vm_flags;
	f->page_prot = vma->vm_page_prot.pgprot;
	f->uffd_ops = vma_uffd_ops(vma);
	f->file = (__u64)file;
	f->inode = file ? (__u64)file->f_inode : 0;
	f->ino = file ? file->f_inode->i_ino : 0;
	f->pgoff = vma->vm_pgoff;
	f->ctx = (__u64)vma->vm_userfaultfd_ctx.ctx;
	f->policy = vma_policy(vma);
	f->anon_name = vma_anon_name(vma);
	f->vm_lock_seq = vma_lock_seq(vma);
	f->mm_lock_seq = mm_lock_seq(mm);
}

static __always_inline __u32 kind_of(const struct vma_facts *f)
{
	if (f->flags & VM_HUGETLB)
		return KIND_HUGETLB;
	return f->uffd_ops == UFFD_OPS_ANON ? KIND_ANON : KIND_SHMEM;
}

/* The write sections that began in @w, or were under way when it did and ended in it, as numbers: false if there are
 * none. */
static __always_inline bool window_sections(const struct window *w, __u32 *first, __u32 *last)
{
	__u32 begin = w->facts.begin.mm_lock_seq, end;

	if (mm_seq_kind() != SEQ_COUNT) {
		*first = w->first_writer | 1;
		*last = writer_head(w->mm) - 1;
		return true;
	}
	end = w->relocked_ns ? w->facts.end.mm_lock_seq : mm_lock_seq_at(w->mm);
	*first = begin | 1;
	*last = (end - 1) | 1;
	return begin != end;
}

/*
 * Name and count who wrote to @w's mm in the window. What is still in at both ends has done nothing in it; what was in
 * at the begin and ended has.
 */
static __always_inline void window_writers(struct window *w)
{
	__u32 first, last;

	if (!has_writers || w->facts.relock_result == RELOCK_LOST || !window_sections(w, &first, &last))
		return;
	struct writer_query q = { .mm = w->mm, .dst = w->facts.dst, .slot = w->slot };

	if (mm_seq_kind() == SEQ_COUNT && w->relocked_ns && was_write_locked(&w->facts))
		q.lock_seq = w->facts.end.vm_lock_seq;
	writers_count(&q, first, last);
	w->writers = q.set;
}

/*
 * The next four are global functions: the verifier looks at each once, and not anew for each of the many ends that call
 * it, nor for each outcome of the one before. All return 0.
 */

/* Classify @w. */
__noinline int window_classify(struct window *w)
{
	if (w)
		classify(&w->facts, &w->verdict);
	return 0;
}

/* Count @w, which ended after @ns. */
__noinline int window_count(struct window *w, __u64 ns)
{
	if (!w)
		return 0;
	count_window(w->slot, w->kind, &w->verdict, ns, w->external);
	if (cfg_relock)
		relock_count(&w->relock, w->slot, !w->relocked_ns);
	if (w->slot == SLOT_RUN)
		chain_window(w->mm, w->facts.dst);
	return 0;
}

/* Tell of @w, which ends now. */
__noinline int window_event(const struct window *w)
{
	struct event *e = w ? event_begin(w->slot) : NULL;

	if (!e)
		return 0;
	e->begin_ns = w->begin_ns;
	e->window_ns = bpf_ktime_get_ns() - w->begin_ns;
	e->relock_ns = w->relocked_ns ? w->relocked_ns - w->begin_ns : 0;
	e->dst = w->facts.dst;
	e->verdict = w->verdict;
	e->kind = w->kind;
	e->external = w->external;
	e->writers = w->writers;
	event_end(e);
	return 0;
}

/* Classify, count and end @w, which stays the task's. */
__noinline int window_end(struct window *w, __u32 relock_result)
{
	if (!w)
		return 0;
	/* Without its address, for the end of the page was missed, what was unmapped is not known. */
	if (relock_result == RELOCK_OK && !w->facts.dst)
		relock_result = RELOCK_LOST;
	w->facts.relock_result = relock_result;
	if (relock_result == RELOCK_LOST)
		count_lost(w->slot, LOST_WINDOWS);
	window_classify(w);
	/* Once the loader has said stop, what it reads must not change any more. */
	if (phase != PHASE_OFF) {
		window_count(w, (w->relocked_ns ?: bpf_ktime_get_ns()) - w->begin_ns);
		window_writers(w);
		window_event(w);
	}
	__sync_fetch_and_add(open_windows_of(w->mm), -1);
	w->open = 0;
	return 0;
}

/* Let others have @w's place. */
static __always_inline void window_release(struct window *w)
{
	__sync_lock_test_and_set(&w->owner, 0);
}

/* End @w, and let others have its place unless plan interval needs it for the rest of the copy. */
static __always_inline void window_close(struct window *w, __u32 relock_result)
{
	window_end(w, relock_result);
	if (!w->copy.len)
		window_release(w);
}

/* The current task's window, open or not, or NULL. */
static __always_inline struct window *window_find(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

#pragma unroll
	for (int way = 0; way < TASK_SLOT_WAYS; way++) {
		struct window *w = window_at(tid, way);

		if (w && w->owner == tid)
			return w;
	}
	return NULL;
}

/* The current task's open window in @mm, or NULL; one test when @mm has none. */
static __always_inline struct window *window_of_current(__u64 mm)
{
	if (!*(volatile __u32 *)open_windows_of(mm))
		return NULL;
	return window_find();
}

/*
 * What is known of @w whose end was missed: the kernel skipped our program. Where the kernel's tests come after what
 * says "re-taken", in all loops but the one of 7.1, nobody knows whether it passed them.
 */
static __always_inline __u32 retake_without_end(const struct window *w)
{
	return w->relocked_ns && !w->copy.len && w->kind != KIND_HUGETLB ? RELOCK_OK : RELOCK_LOST;
}

/* A free window for the current task. One that it still holds is one whose end was missed: it is counted and reused. */
static __always_inline struct window *window_take(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

#pragma unroll
	for (int way = 0; way < TASK_SLOT_WAYS; way++) {
		struct window *w = window_at(tid, way);
		__u32 owner;

		if (!w)
			return NULL;
		owner = __sync_val_compare_and_swap(&w->owner, 0, tid);
		if (owner == 0)
			return w;
		if (owner == tid) {
			if (w->open)
				window_end(w, retake_without_end(w));
			return w;
		}
	}
	return NULL;
}

/* A window that cannot be followed for want of a place is counted all the same. */
static __always_inline void window_lost(__u32 slot, __u32 kind)
{
	struct verdict v = { .class = CLASS_UNDETERMINED };

	count_window(slot, kind, &v, 0, false);
	count_lost(slot, LOST_MAP_FULL);
	if (cfg_events)
		count_lost(slot, LOST_EVENTS);
}

/* Somebody appends to the change log of write locks: a second witness, or without mm_lock_seq the only one. */
static __always_inline bool logs_write_locks(void)
{
	return mm_seq_kind() == SEQ_NONE || has_write_lock_hook;
}

/* Open @w, a window in @mm: from here on its mm's changes are logged. What is left to do is to note facts.begin. */
static __always_inline void window_open(struct window *w, __u64 mm, __u32 slot, bool external)
{
	w->mm = mm;
	w->slot = slot;
	w->external = external;
	w->open = 1;
	w->bounded_ns = 0;
	w->relocked_ns = 0;
	__builtin_memset(&w->relock, 0, sizeof(w->relock));
	w->facts.uffd_mask = has_uffd_mask;
	w->facts.seq = mm_seq_kind();
	w->facts.kernel_answer = has_kernel_check ? KERNEL_ANSWER_UNSEEN : KERNEL_ANSWER_NONE;
	w->facts.kernel_eagain = 0;
	w->facts.kernel_is = kernel_is;
	w->facts.unmapped = SEEN_UNKNOWN;
	w->facts.write_locked = SEEN_UNKNOWN;
	w->facts.seq_between = SEEN_UNKNOWN;
	w->begin_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(open_windows_of(mm), 1);
	w->unmaps = change_head(mm, CHANGE_UNMAP);
	if (logs_write_locks())
		w->write_locks = change_head(mm, CHANGE_WRITE_LOCK);
	__builtin_memset(&w->writers, 0, sizeof(w->writers));
	if (has_writers)
		writers_watch(mm);
	w->first_writer = writer_head(mm);
}

/*
 * window_begin() - the current task is about to drop @vma's read lock.
 * @vma: the destination VMA, read-locked. Its mm is the destination's, not the caller's.
 * Returns the window, or NULL when nobody asked for it or there is no place.
 */
static __always_inline struct window *window_begin(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = vma->vm_mm;
	struct window *w;
	int slot;

	if (!mm)
		return NULL;
	slot = slot_of(mm);
	if (slot < 0)
		return NULL;
	w = window_take();
	if (!w) {
		window_lost(slot, vma->vm_flags & VM_HUGETLB ? KIND_HUGETLB : vma->vm_ops ? KIND_SHMEM : KIND_ANON);
		return NULL;
	}
	window_open(w, (__u64)mm, slot, task->mm != mm);
	w->facts.dst = 0;
	read_facts(&w->facts.begin, vma, mm);
	w->kind = kind_of(&w->facts.begin);
	return w;
}

/*
 * window_bounded() - the lock of @w's VMA has been dropped by now. Where the begin is early, that tells by how much at
 * most, and whether anybody wrote to the mm meanwhile.
 */
static __always_inline void window_bounded(struct window *w)
{
	if (!w->open || w->bounded_ns || w->relocked_ns)
		return;
	w->bounded_ns = bpf_ktime_get_ns();
	count_bounded(w->slot, w->bounded_ns - w->begin_ns, mm_lock_seq_at(w->mm) != w->facts.begin.mm_lock_seq);
}

/*
 * window_check_began() - the kernel has read mm_lock_seq, if its check does that, and still holds the lock. At the end
 * retry_returned() asks the same.
 */
static __always_inline void window_check_began(struct window *w)
{
	w->facts.seq_between = mm_lock_seq_at(w->mm) != w->facts.begin.mm_lock_seq ? SEEN_YES : SEEN_NO;
}

/* What happened to the destination in the window, as far as the class depends on it. */
static __always_inline void window_search_changes(struct window *w)
{
	w->facts.unmapped = change_seen(w->mm, CHANGE_UNMAP, w->unmaps, w->unmaps_end, w->facts.dst);
	if (w->facts.unmapped == SEEN_UNKNOWN)
		count_lost(w->slot, LOST_MAP_FULL);
	if (has_write_lock_hook)
		w->facts.write_locked =
			change_seen(w->mm, CHANGE_WRITE_LOCK, w->write_locks, w->write_locks_end, w->facts.dst);
}

/* Note what the re-taken, read-locked VMA @vma is, and how far the change logs are. */
static __always_inline void window_held(struct window *w, struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	if (!mm)
		return;
	read_facts(&w->facts.end, vma, mm);
	if (was_write_locked(&w->facts)) {
		w->unmaps_end = change_head(w->mm, CHANGE_UNMAP);
		w->write_locks_end = change_head(w->mm, CHANGE_WRITE_LOCK);
	}
	w->relocked_ns = bpf_ktime_get_ns();
}

/* Search the change logs, now that the destination address @dst is known. */
static __always_inline void window_located(struct window *w, __u64 dst)
{
	w->facts.dst = dst;
	if (was_write_locked(&w->facts))
		window_search_changes(w);
}

/*
 * window_relocked() - the destination's VMA @vma is read-locked again. @dst: the destination address.
 * What is still to come is the kernel's own verdict.
 */
static __always_inline void window_relocked(struct window *w, struct vm_area_struct *vma, __u64 dst)
{
	window_held(w, vma);
	if (w->relocked_ns)
		window_located(w, dst);
}

/* window_verdict() - the running kernel has made its comparison. @changed: and says that it changed. */
static __always_inline void window_verdict(struct window *w, bool changed)
{
	w->facts.kernel_answer = KERNEL_ANSWER_SEEN;
	w->facts.kernel_eagain = changed;
}

/* How the attempt to take the VMA again ended, if mfill_copy_folio_retry() returned @err without having it. */
static __always_inline __u32 retake_of_error(__s32 err)
{
	switch (err) {
	case 0:
	case -EEXIST: /* comes later, so what came before was missed */
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
 * window_page() - the page at @dst is through with @err: only now its address is known. The VMA's facts were read when
 * the kernel compared it; a window in which it did not come to that and that passed all the same was missed there. So
 * was one that ended in -EAGAIN, unless mmap_changing explains it (@changing): the check may have said it.
 */
static __always_inline void window_page(struct window *w, __u64 dst, __s32 err, bool changing)
{
	if (w->relocked_ns) {
		window_located(w, dst);
		window_close(w, RELOCK_OK);
		return;
	}
	w->facts.dst = dst;
	window_close(w, err == -EAGAIN && !changing ? RELOCK_LOST : retake_of_error(err));
}

/*
 * retry_returned() - mfill_copy_folio_retry() returns @ret, with the VMA @vma locked again, or NULL.
 * With the VMA held, -EAGAIN is the check's and any other error one of what comes after it (mfill_establish_pmd()).
 */
static __always_inline void retry_returned(struct window *w, struct vm_area_struct *vma, __u64 dst, __s32 ret)
{
	if (!vma) {
		w->facts.dst = dst;
		window_close(w, retake_of_error(ret));
		return;
	}
	if (!w->relocked_ns) {
		window_relocked(w, vma, dst);
		w->facts.seq_between = SEEN_UNKNOWN;
	} else if (mm_lock_seq_at(w->mm) != w->facts.end.mm_lock_seq) {
		w->facts.seq_between = SEEN_YES;
	}
	window_verdict(w, ret == -EAGAIN);
	window_close(w, w->relocked_ns ? RELOCK_OK : RELOCK_LOST);
}

/*
 * The worker returns @ret of @len bytes, and nobody was seen to take the VMA again. That is how a source that cannot be
 * copied ends a window. In any other case the kernel skipped one of our programs: nothing is guessed.
 */
static __always_inline __u32 retake_never_seen(__s64 ret, __u64 len)
{
	return ret == -EFAULT || (ret > 0 && ret < (__s64)len) ? RELOCK_NEVER : RELOCK_LOST;
}

/*
 * The VMA was re-taken, and the worker ends with @ret before anything was seen to pass. @end: of the copy. After the
 * first page @ret is a number of bytes, and the reason must come from the tests themselves (mfill_atomic(),
 * mfill_get_vma(), mfill_atomic_hugetlb()): range and registration (-ENOENT), @changing (-EAGAIN), whether it can take
 * this copy (-EINVAL), and last the kernel's own check, where it has one (-EAGAIN).
 */
static __always_inline __u32 unseen_verdict(struct window *w, __s64 ret, __u64 end, bool changing)
{
	struct window_facts *f = &w->facts;
	bool checks = f->kernel_answer != KERNEL_ANSWER_NONE;

	if (ret < 0 && ret != -EAGAIN)
		return ret == -ENOENT || ret == -EINVAL ? RELOCK_GONE : RELOCK_OK;
	if (ret > 0 && (!f->end.ctx || f->end.end < end))
		return RELOCK_GONE;
	if (changing)
		return RELOCK_BLOCKED;
	if (checks) {
		f->kernel_answer = KERNEL_ANSWER_SEEN;
		f->kernel_eagain = 1;
		return RELOCK_OK;
	}
	if (ret > 0 && f->end.uffd_ops != f->begin.uffd_ops)
		return RELOCK_GONE;
	/* A hugetlb destination passed unseen when its page was there already (-EEXIST); of the others every pass is
	 * seen, so the event that blocked it was read since. */
	return ret > 0 && w->kind == KIND_HUGETLB ? RELOCK_OK : RELOCK_BLOCKED;
}

/*
 * overtaken_retake() - the worker returns @ret for [@dst, @dst + @len), and the window is still open.
 * @changing: the userfaultfd's mmap_changing is raised. Returns what the window ended in.
 */
static __always_inline __u32 overtaken_retake(struct window *w, bool changing, __u64 dst, __u64 len, __s64 ret)
{
	/* Where the copy's place is kept, "re-taken" only means that the VMA was locked. */
	bool untested = w->copy.len || w->facts.kernel_answer == KERNEL_ANSWER_NONE;

	/* The end of the page, which would have told, was missed: only these plans have no such hook. */
	if (!w->copy.len && w->kind != KIND_HUGETLB)
		return RELOCK_LOST;
	if (!w->relocked_ns) {
		/* The page that failed. */
		w->facts.dst = ret > 0 ? dst + ret : dst;
		return retake_never_seen(ret, len);
	}
	if (untested && ret != (__s64)len)
		return unseen_verdict(w, ret, dst + len, changing);
	return RELOCK_OK;
}

#endif /* WINDOW_BPF_H */
