/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Looking up a VMA by its address, where no argument of a hook has it: mas_walk() of
 * lib/maple_tree.c, 6.1 and later. bpf_find_vma() gives up when a writer waits.
 */
#ifndef MAPLE_TREE_BPF_H
#define MAPLE_TREE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define MAPLE_LEAF_64 1
#define MAPLE_ARANGE_64 3
#define MAPLE_TYPE(enode) (((enode) >> 3) & 0xf)
#define MAPLE_NODE(enode) ((enode) & ~0xffULL)
#define MAPLE_DEPTH_MAX 8
#define MAPLE_PIVOTS_MAX 15
#define MAPLE_RESERVED_RANGE 4096

/*
 * The index of the first of @nr pivots that is not below @index, else @nr. Pivots behind the last
 * used one are 0.
 */
static __always_inline __u32 maple_slot(const __u64 *pivots, __u32 nr, __u64 index)
{
	__u32 i;

	for (i = 0; i < MAPLE_PIVOTS_MAX; i++)
		if (i >= nr || pivots[i] >= index || (i && !pivots[i]))
			break;
	return i;
}

/* The slot of the node @enode for @index: a node below it, or an entry. */
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

/* The root node of @mm's tree, or 0. */
static __always_inline __u64 maple_root(__u64 mm)
{
	__u64 entry = (__u64)BPF_CORE_READ((struct mm_struct *)mm, mm_mt.ma_root);

	/* Only the root may be an entry itself: a node ends in binary 10 there (xa_is_node()). */
	return (entry & 3) == 2 && entry > MAPLE_RESERVED_RANGE ? entry : 0;
}

/*
 * vma_at() - the address of the VMA of @mm that holds @address, or 0. The caller holds mmap_lock.
 */
static __always_inline __u64 vma_at(__u64 mm, __u64 address)
{
	__u64 entry = maple_root(mm);

	for (int depth = 0; entry && depth < MAPLE_DEPTH_MAX; depth++) {
		__u32 type = MAPLE_TYPE(entry);

		entry = maple_descend(entry, address);
		if (type <= MAPLE_LEAF_64)
			return entry;
	}
	return 0;
}

#endif /* MAPLE_TREE_BPF_H */
