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
#include "uffdretry.h"

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

/* The same of a VMA without a BTF type, on kernels without uffd_ops. */
static __always_inline __u64 vma_uffd_ops_at(struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = BPF_CORE_READ(vma, vm_ops);

	return ops ? (__u64)ops : UFFD_OPS_ANON;
}

static __always_inline __u64 policy_hash(__u16 mode, __u16 flags, __u32 home_node, __u64 nodes)
{
	return (1ULL << 63) ^ ((__u64)mode << 32) ^ ((__u64)flags << 16) ^ home_node ^ (nodes * 0x9e3779b97f4a7c15ULL);
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
	return policy_hash(policy->mode, policy->flags, policy->home_node, policy->nodes.bits[0]);
}

/* The same of a VMA without a BTF type. */
static __always_inline __u64 vma_policy_at(struct vm_area_struct *vma)
{
	struct mempolicy *policy;

	if (!bpf_core_field_exists(vma->vm_policy))
		return 0;
	policy = BPF_CORE_READ(vma, vm_policy);
	if (!policy)
		return 0;
	return policy_hash(BPF_CORE_READ(policy, mode), BPF_CORE_READ(policy, flags), BPF_CORE_READ(policy, home_node),
			   BPF_CORE_READ(policy, nodes.bits[0]));
}

/* The VMA's name (PR_SET_VMA_ANON_NAME). Names are shared by reference, so the pointer tells them apart. */
static __always_inline __u64 vma_anon_name(struct vm_area_struct *vma)
{
	if (!bpf_core_field_exists(vma->anon_name))
		return 0;
	return (__u64)vma->anon_name;
}

/* The same of a VMA without a BTF type. Up to 6.1 a file's VMA has its place in the file's tree there. */
static __always_inline __u64 vma_anon_name_at(struct vm_area_struct *vma)
{
	if (!bpf_core_field_exists(vma->anon_name) || BPF_CORE_READ(vma, vm_file))
		return 0;
	return (__u64)BPF_CORE_READ(vma, anon_name);
}

/* Early 6.4 to 6.13: "mm: introduce mm_lock_seq" had an int, "mm: convert mm_lock_seq to a proper seqcount" ended that.
 */
struct mm_struct___int {
	int mm_lock_seq;
} __attribute__((preserve_access_index));

/* How this kernel counts write sections: an enum seq_kind. By the member's type, for the seqcount was backported. */
static __always_inline __u32 mm_seq_kind(void)
{
	struct mm_struct *mm = NULL;
	struct mm_struct___int *old = NULL;

	if (bpf_core_field_exists(mm->mm_lock_seq.sequence))
		return SEQ_COUNT;
	return bpf_core_field_exists(old->mm_lock_seq) ? SEQ_INT : SEQ_NONE;
}

/* mm->mm_lock_seq; @mm has a BTF type. */
static __always_inline __u32 mm_lock_seq(struct mm_struct *mm)
{
	if (bpf_core_field_exists(mm->mm_lock_seq.sequence))
		return mm->mm_lock_seq.sequence;
	if (bpf_core_field_exists(((struct mm_struct___int *)mm)->mm_lock_seq))
		return ((struct mm_struct___int *)mm)->mm_lock_seq;
	return 0;
}

/* The same for a bare address. */
static __always_inline __u32 mm_lock_seq_at(__u64 address)
{
	struct mm_struct___int *old = (struct mm_struct___int *)address;
	struct mm_struct *mm = (struct mm_struct *)address;

	if (bpf_core_field_exists(mm->mm_lock_seq.sequence))
		return BPF_CORE_READ(mm, mm_lock_seq.sequence);
	if (bpf_core_field_exists(old->mm_lock_seq))
		return BPF_CORE_READ(old, mm_lock_seq);
	return 0;
}

/* The mm_lock_seq at which the VMA was last write-locked; came with it. */
static __always_inline __u32 vma_lock_seq(struct vm_area_struct *vma)
{
	return bpf_core_field_exists(vma->vm_lock_seq) ? vma->vm_lock_seq : 0;
}

/* The compiler would else load at an address that it chose before: the verifier wants each access of a context as it
 * is. */
#define LOADED_HERE(v) asm volatile("" : "+r"(v))

struct unmapped_range {
	__u64 mm;
	__u64 start;
	__u64 end;
};

/*
 * Where struct unmap_desc has its members, set by the loader (plan.c); size 0: there is no such type. Not by a relocation: a type
 * that vmlinux's BTF lacks is looked for in the modules', which with libbpf 1.1 takes CAP_SYS_ADMIN.
 */
const volatile struct unmap_desc_layout unmap_desc = {};

/*
 * What unmap_vmas() is about to unmap. @args: void unmap_vmas(struct mmu_gather *tlb, struct unmap_desc *unmap)
 * since 7.0; (tlb, struct ma_state *mas, struct vm_area_struct *vma, unsigned long start, unsigned long end, ...)
 * before.
 */
static __always_inline struct unmapped_range unmapped_range(const __u64 *args)
{
	struct unmapped_range range;

	if (unmap_desc.size) {
		__u64 unmap = args[1];
		struct vm_area_struct *first = *(struct vm_area_struct **)(unmap + unmap_desc.first);

		range.mm = (__u64)first->vm_mm;
		range.start = *(__u64 *)(unmap + unmap_desc.vma_start);
		range.end = *(__u64 *)(unmap + unmap_desc.vma_end);
		LOADED_HERE(range.mm);
		LOADED_HERE(range.start);
		LOADED_HERE(range.end);
	} else {
		struct vm_area_struct *vma = (struct vm_area_struct *)args[2];

		range.mm = (__u64)vma->vm_mm;
		range.start = args[3];
		range.end = args[4];
		LOADED_HERE(range.mm);
		LOADED_HERE(range.start);
		LOADED_HERE(range.end);
	}
	return range;
}

/* The system call that the current task is in, by number, or -1. On x86-64 orig_ax holds it. */
static __always_inline __s32 current_syscall(void)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return regs ? (__s32)regs->orig_ax : -1;
}

#define SYSCALL_MADVISE 28
#define SYSCALL_PROCESS_MADVISE 440

/* The advice of madvise(addr, len, advice) or process_madvise(pidfd, iov, nr, advice, flags), -1 for any other call. */
static __always_inline __s32 current_advice(__s32 syscall)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());

	if (!regs)
		return -1;
	if (syscall == SYSCALL_MADVISE)
		return (__s32)regs->dx;
	return syscall == SYSCALL_PROCESS_MADVISE ? (__s32)regs->r10 : -1;
}

/* Does a task wait for an event of @uffd to be read? Not seen: one whose event is being read at this moment. */
static __always_inline bool event_pending(struct userfaultfd_ctx *uffd)
{
	struct list_head *head = &uffd->event_wqh.head;

	return BPF_CORE_READ(uffd, event_wqh.head.next) != head;
}

/* A fatal signal ends a copy between two pages (fatal_signal_pending()): the whole thread group is going. */
static __always_inline bool dying(void)
{
	return bpf_get_current_task_btf()->signal->flags & 4 /* SIGNAL_GROUP_EXIT */;
}

/*
 * The task that owns @mm, NULL if it has none any more or the kernel does not say (mm_struct.owner needs CONFIG_MEMCG).
 */
static __always_inline struct task_struct *mm_owner(struct mm_struct *mm)
{
	return bpf_core_field_exists(mm->owner) ? mm->owner : NULL;
}

/* The same of an address without a BTF type; nor has what it returns one. */
static __always_inline struct task_struct *mm_owner_at(struct mm_struct *mm)
{
	return bpf_core_field_exists(mm->owner) ? BPF_CORE_READ(mm, owner) : NULL;
}

#endif /* COMPAT_BPF_H */
