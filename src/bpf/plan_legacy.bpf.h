/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Plan legacy: windows of kernels without per-VMA locks, 6.3 and before. All is under mmap_lock, and its tracepoints show
 * the begin and the end exactly: mmap_lock_released fires before the drop, mmap_lock_acquire_returned after the lock.
 *
 * The copier is itself a reader of mmap_lock inside its window when it faults its source in, if its own mm is the
 * destination's. So each time it takes the lock may be the re-take, and the last one is.
 *
 * These kernels have no mm_lock_seq, and compare nothing after the retry.
 */
#ifndef LEGACY_BPF_H
#define LEGACY_BPF_H

#include "bpf/plan_interval.bpf.h"

#define MAPLE_LEAF_64 1
#define MAPLE_ARANGE_64 3
#define MAPLE_TYPE(enode) (((enode) >> 3) & 0xf)
#define MAPLE_NODE(enode) ((enode) & ~0xffULL)
#define MAPLE_DEPTH_MAX 8
#define MAPLE_PIVOTS_MAX 15

/* The index of the first of @nr pivots that is not below @index; behind the last used one they are 0. Else @nr. */
static __always_inline __u32 maple_slot(const __u64 *pivots, __u32 nr, __u64 index)
{
	__u32 i;

	for (i = 0; i < MAPLE_PIVOTS_MAX; i++)
		if (i >= nr || pivots[i] >= index || (i && !pivots[i]))
			break;
	return i;
}

/* What the node @enode has for @index: a node below it, or an entry. */
static __always_inline __u64 maple_descend(__u64 enode, __u64 index)
{
	struct maple_arange_64 *ma = (void *)MAPLE_NODE(enode);
	struct maple_range_64 *mr = (void *)ma;
	__u64 pivots[MAPLE_PIVOTS_MAX] = {}, next = 0;
	__u32 i;

	if (MAPLE_TYPE(enode) == MAPLE_ARANGE_64) {
		bpf_core_read(pivots, sizeof(ma->pivot), &ma->pivot);
		i = maple_slot(pivots, sizeof(ma->pivot) / sizeof(pivots[0]), index);
		bpf_core_read(&next, sizeof(next), &ma->slot[i]);
	} else {
		bpf_core_read(pivots, sizeof(mr->pivot), &mr->pivot);
		i = maple_slot(pivots, sizeof(mr->pivot) / sizeof(pivots[0]), index);
		bpf_core_read(&next, sizeof(next), &mr->slot[i]);
	}
	return next;
}

/*
 * vma_at() - the VMA of @mm that holds @address, or 0; mmap_lock is held. mas_walk() of lib/maple_tree.c, 6.1 and later,
 * for bpf_find_vma() gives up when a writer waits.
 */
static __always_inline __u64 vma_at(__u64 mm, __u64 address)
{
	__u64 entry = (__u64)BPF_CORE_READ((struct mm_struct *)mm, mm_mt.ma_root);

	/* Only the root may be an entry itself: a node has binary 10 at its end there (xa_is_node()). */
	if ((entry & 3) != 2 || entry <= 4096)
		return 0;
	for (int depth = 0; entry && depth < MAPLE_DEPTH_MAX; depth++) {
		__u32 type = MAPLE_TYPE(entry);

		entry = maple_descend(entry, address);
		if (type <= MAPLE_LEAF_64)
			return entry;
	}
	return 0;
}

/* As read_facts(), of a VMA that the verifier knows nothing of. */
static __always_inline void read_facts_at(struct vma_facts *f, __u64 address)
{
	struct vm_area_struct *vma = (struct vm_area_struct *)address;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct inode *inode = file ? BPF_CORE_READ(file, f_inode) : NULL;

	f->vma = address;
	f->start = BPF_CORE_READ(vma, vm_start);
	f->end = BPF_CORE_READ(vma, vm_end);
	f->flags = BPF_CORE_READ(vma, vm_flags);
	f->page_prot = BPF_CORE_READ(vma, vm_page_prot.pgprot);
	f->uffd_ops = vma_uffd_ops_at(vma);
	f->file = (__u64)file;
	f->inode = (__u64)inode;
	f->ino = inode ? BPF_CORE_READ(inode, i_ino) : 0;
	f->pgoff = BPF_CORE_READ(vma, vm_pgoff);
	f->ctx = (__u64)BPF_CORE_READ(vma, vm_userfaultfd_ctx.ctx);
	f->policy = vma_policy_at(vma);
	f->anon_name = vma_anon_name_at(vma);
	f->vm_lock_seq = 0;
	f->mm_lock_seq = 0;
}

/*
 * The facts of the VMA that the kernel takes for the destination's, all 0 without one. It looks at the first page of
 * the whole copy (find_dst_vma()), and accepts no VMA that does not hold all of it.
 */
static __always_inline void read_dst_facts(struct vma_facts *f, const struct window *w)
{
	__u64 vma = vma_at(w->mm, w->copy.dst);

	__builtin_memset(f, 0, sizeof(*f));
	if (!vma)
		return;
	read_facts_at(f, vma);
	if (w->copy.dst < f->start || w->copy.dst >= f->end)
		__builtin_memset(f, 0, sizeof(*f));
}

/* legacy_failed() - the copy of the page at @dst has failed with faults disabled: the lock is dropped next. */
static __always_inline void legacy_failed(struct window *w, __u64 dst)
{
	/* The page before this one is through, its verdict was missed. */
	if (w->open)
		window_end(w, w->relocked_ns ? RELOCK_OK : RELOCK_LOST);
	w->facts.dst = dst;
	w->failed = 1;
}

/*
 * legacy_faulted() - the copy of the page at @dst has failed with faults enabled: what was locked in the window was
 * locked by faults.
 */
static __always_inline void legacy_faulted(struct window *w, __u64 dst)
{
	cause_note(dst, EFAULT, SITE_SOURCE);
	w->relocked_ns = 0;
	__builtin_memset(&w->relock, 0, sizeof(w->relock));
	if (w->open)
		window_end(w, RELOCK_NEVER);
}

/* legacy_unlocked() - the copier is about to drop its read lock. */
static __always_inline void legacy_unlocked(struct window *w)
{
	if (!w->failed)
		return;
	w->failed = 0;
	window_open(w, w->mm, w->slot, (__u64)bpf_get_current_task_btf()->mm != w->mm);
	read_dst_facts(&w->facts.begin, w);
	w->kind = kind_of(&w->facts.begin);
}

/* legacy_locked() - the copier has a read lock. */
static __always_inline void legacy_locked(struct window *w)
{
	if (!w->open)
		return;
	relock_mmap_lock(&w->relock);
	relock_end(&w->relock);
	read_dst_facts(&w->facts.end, w);
	w->facts.write_locked = change_seen(w->mm, CHANGE_WRITE_LOCK, w->write_locks,
					      change_head(w->mm, CHANGE_WRITE_LOCK), w->facts.dst);
	if (w->facts.write_locked == SEEN_NO)
		w->facts.unmapped = SEEN_NO;
	else
		w->facts.unmapped = change_seen(w->mm, CHANGE_UNMAP, w->unmaps, change_head(w->mm, CHANGE_UNMAP),
						  w->facts.dst);
	w->relocked_ns = bpf_ktime_get_ns();
}

#endif /* LEGACY_BPF_H */
