/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Field drift between kernels: one accessor a drift. The only BPF file that knows that kernels differ.
 *
 * Each accessor asks BTF (bpf_core_field_exists), never a version; the loser branch is dead code that the
 * verifier drops. Each returns 0 where the kernel has no such thing: what that means is in plan.c.
 */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * The effective userfaultfd operations, as vma_uffd_ops() picks them (mm/userfaultfd.c): anonymous memory is told by
 * its missing vm_ops. vm_operations_struct.uffd_ops came with 7.1, "userfaultfd: introduce struct vm_uffd_ops"; before
 * it, what a VMA is backed by is its vm_ops.
 */
static __always_inline __u64 vma_uffd_ops(struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = vma->vm_ops;

	if (!ops)
		return UFFD_OPS_ANON;
	if (bpf_core_field_exists(ops->uffd_ops))
		return (__u64)ops->uffd_ops;
	return (__u64)ops;
}

/*
 * A fingerprint of the VMA's memory policy: its content, not its address, which a new policy may reuse. Covers mode,
 * flags, home node and the first 64 nodes. vm_policy needs CONFIG_NUMA.
 */
static __always_inline __u64 vma_policy(struct vm_area_struct *vma)
{
	struct mempolicy *policy;

	if (!bpf_core_field_exists(vma->vm_policy))
		return 0;
	policy = vma->vm_policy;
	if (!policy)
		return 0;
	return (1ULL << 63) ^ ((__u64)policy->mode << 32) ^ ((__u64)policy->flags << 16) ^
	       (__u64)(__u32)policy->home_node ^ (policy->nodes.bits[0] * 0x9e3779b97f4a7c15ULL);
}

/* The VMA's name (PR_SET_VMA_ANON_NAME). Names are shared by reference, so the pointer tells them apart. */
static __always_inline __u64 vma_anon_name(struct vm_area_struct *vma)
{
	if (!bpf_core_field_exists(vma->anon_name))
		return 0;
	return (__u64)vma->anon_name;
}

/*
 * The thread group that owns @mm, 0 if it has none any more or the kernel does not say (mm_struct.owner needs
 * CONFIG_MEMCG). @mm may be an address without a BTF type.
 */
static __always_inline __u32 mm_owner_tgid(struct mm_struct *mm)
{
	struct task_struct *owner;

	if (!bpf_core_field_exists(mm->owner))
		return 0;
	owner = BPF_CORE_READ(mm, owner);
	return owner ? BPF_CORE_READ(owner, tgid) : 0;
}

#endif /* COMPAT_BPF_H */
