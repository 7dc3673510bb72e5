/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * What differs by kernel: one accessor a drift.
 *
 * Each accessor asks BTF (bpf_core_field_exists), never a version; the verifier drops the other
 * branch as dead code. Each returns 0 where the kernel has no such thing; trace/kernel.c tells the
 * user. Those with _at take an address without a BTF type.
 */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "fingerprint.h"
#include "uffdretry.h"
#include "bpf/task.bpf.h"

/*
 * The userfaultfd operations as vma_uffd_ops() of mm/userfaultfd.c picks them.
 * vm_operations_struct.uffd_ops came with 7.1, "userfaultfd: introduce struct vm_uffd_ops"; before
 * it vm_ops itself tells what backs the VMA.
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

/* Only for kernels without uffd_ops. */
static __always_inline __u64 vma_uffd_ops_at(struct vm_area_struct *vma)
{
	const struct vm_operations_struct *ops = BPF_CORE_READ(vma, vm_ops);

	return ops ? (__u64)ops : UFFD_OPS_ANON;
}

/*
 * A fingerprint of the VMA's memory policy: mode, flags, home node and the first 64 nodes. Not its
 * address, which a new policy may reuse. vm_policy needs CONFIG_NUMA.
 */
static __always_inline __u64 vma_policy(struct vm_area_struct *vma)
{
	struct mempolicy *policy;

	if (!bpf_core_field_exists(vma->vm_policy))
		return 0;
	policy = vma->vm_policy;
	if (!policy)
		return 0;
	return policy_fingerprint(policy->mode, policy->flags, policy->home_node,
				  policy->nodes.bits[0]);
}

static __always_inline __u64 vma_policy_at(struct vm_area_struct *vma)
{
	struct mempolicy *policy;

	if (!bpf_core_field_exists(vma->vm_policy))
		return 0;
	policy = BPF_CORE_READ(vma, vm_policy);
	if (!policy)
		return 0;
	return policy_fingerprint(BPF_CORE_READ(policy, mode), BPF_CORE_READ(policy, flags),
				  BPF_CORE_READ(policy, home_node),
				  BPF_CORE_READ(policy, nodes.bits[0]));
}

/* In struct anon_vma_name, behind a struct kref. Debian's BTF has no such type to ask. */
#define ANON_NAME_OFFSET 4

/* The name at @address, a struct anon_vma_name. Nothing behind its NUL is read. */
static __noinline __u64 anon_name_fingerprint(__u64 address)
{
	__u64 name[ANON_NAME_WORDS] = {};

	bpf_probe_read_kernel_str(name, sizeof(name), (void *)(address + ANON_NAME_OFFSET));
	return name_fingerprint(name);
}

/* A fingerprint of the VMA's name (PR_SET_VMA_ANON_NAME). */
static __always_inline __u64 vma_anon_name(struct vm_area_struct *vma)
{
	if (!bpf_core_field_exists(vma->anon_name) || !vma->anon_name)
		return 0;
	return anon_name_fingerprint((__u64)BPF_CORE_READ(vma, anon_name));
}

struct vm_area_struct___links {
	struct rb_links___any {
		long any;
	} shared;
} __attribute__((preserve_access_index));

/* Up to 6.1 the name shares a union with the links of a file's VMA. */
static __always_inline __u64 vma_anon_name_at(struct vm_area_struct *vma)
{
	__u64 name;

	if (!bpf_core_field_exists(vma->anon_name))
		return 0;
	if (bpf_core_field_offset(vma->anon_name) ==
		    bpf_core_field_offset(struct vm_area_struct___links, shared) &&
	    BPF_CORE_READ(vma, vm_file))
		return 0;
	name = (__u64)BPF_CORE_READ(vma, anon_name);
	return name ? anon_name_fingerprint(name) : 0;
}

/*
 * The kfunc that gives an address its type, 6.2 and later. The object for older kernels does without:
 * libbpf 1.1 would look for it in the modules, which takes CAP_SYS_ADMIN. None of the programs that
 * are loaded there call it.
 */
#ifdef WITHOUT_CAST
static __always_inline void *bpf_rdonly_cast(const void *address, __u32 type)
{
	return (void *)address;
}
#else
extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym;
#endif

/* as_vma() - the VMA at @address, with its type; reads of a bad address give 0. */
static __always_inline struct vm_area_struct *as_vma(__u64 address)
{
	return bpf_rdonly_cast((void *)address, bpf_core_type_id_kernel(struct vm_area_struct));
}

/* as_mfill_state() - the same of a page that is being filled; 7.1 and later. */
static __always_inline struct mfill_state *as_mfill_state(__u64 address)
{
	return bpf_rdonly_cast((void *)address, bpf_core_type_id_kernel(struct mfill_state));
}

/*
 * "mm: introduce mm_lock_seq" (6.4) added an int, "mm: convert mm_lock_seq to a proper seqcount"
 * (6.14) ended it.
 */
struct mm_struct___int {
	int mm_lock_seq;
} __attribute__((preserve_access_index));

/* How this kernel counts write sections. The member's type tells: the seqcount was backported. */
static __always_inline enum seq_kind mm_seq_kind(void)
{
	struct mm_struct *mm = NULL;
	struct mm_struct___int *old = NULL;

	if (bpf_core_field_exists(mm->mm_lock_seq.sequence))
		return SEQ_COUNT;
	return bpf_core_field_exists(old->mm_lock_seq) ? SEQ_INT : SEQ_NONE;
}

/* Does each write section have an odd number of its own, which the kernel counts? */
static __always_inline bool mm_numbers_sections(void)
{
	return mm_seq_kind() != SEQ_NONE;
}

/*
 * As a seqcount counts: odd in a write section, with the number of that section. An int is N in a
 * section and N + 1 after it, and is read as 2 N and 2 N + 2.
 */
static __always_inline __u32 as_seqcount(int mm_lock_seq)
{
	return (__u32)mm_lock_seq << 1;
}

static __always_inline __u32 mm_lock_seq(struct mm_struct *mm)
{
	if (bpf_core_field_exists(mm->mm_lock_seq.sequence))
		return mm->mm_lock_seq.sequence;
	if (bpf_core_field_exists(((struct mm_struct___int *)mm)->mm_lock_seq))
		return as_seqcount(((struct mm_struct___int *)mm)->mm_lock_seq);
	return 0;
}

static __always_inline __u32 mm_lock_seq_at(__u64 address)
{
	struct mm_struct___int *old = (struct mm_struct___int *)address;
	struct mm_struct *mm = (struct mm_struct *)address;

	if (bpf_core_field_exists(mm->mm_lock_seq.sequence))
		return BPF_CORE_READ(mm, mm_lock_seq.sequence);
	if (bpf_core_field_exists(old->mm_lock_seq))
		return as_seqcount(BPF_CORE_READ(old, mm_lock_seq));
	return 0;
}

/*
 * The current task's mm if it is the one at @address, with its type, else NULL. The barrier keeps the
 * compiler from taking one for the other, which has no type.
 */
static __always_inline struct mm_struct *own_mm_at(__u64 address)
{
	struct mm_struct *own = bpf_get_current_task_btf()->mm;
	__u64 at = (__u64)own;

	barrier_var(at);
	return at == address ? own : NULL;
}

/* mm_lock_seq_at() of an mm that may be the current task's own: then a load will do. */
static __always_inline __u32 mm_lock_seq_of(__u64 address)
{
	struct mm_struct *own = own_mm_at(address);

	return own ? mm_lock_seq(own) : mm_lock_seq_at(address);
}

/* The number of the write section that the current task is in. */
static __always_inline __u32 mm_section(struct mm_struct *mm)
{
	return mm_lock_seq(mm) | 1;
}

/* vm_lock_seq has mm_lock_seq as it is in a write section: the same, as mm_section(). */
static __always_inline __u32 section_of(__u32 vm_lock_seq)
{
	return mm_seq_kind() == SEQ_INT ? as_seqcount(vm_lock_seq) | 1 : vm_lock_seq;
}

/* The number of the write section that last locked the VMA; 6.4 and later. */
static __always_inline __u32 vma_lock_seq(struct vm_area_struct *vma)
{
	return bpf_core_field_exists(vma->vm_lock_seq) ? section_of(vma->vm_lock_seq) : 0;
}

static __always_inline __u32 vma_lock_seq_at(struct vm_area_struct *vma)
{
	return bpf_core_field_exists(vma->vm_lock_seq) ? section_of(BPF_CORE_READ(vma, vm_lock_seq))
						       : 0;
}

/* clang 22 cannot compile members of an empty type. */
struct rw_semaphore___any {
	long any;
};

struct userfaultfd_ctx___vma_locks {
	struct rw_semaphore___any map_changing_lock;
} __attribute__((preserve_access_index));

/*
 * Does UFFDIO_COPY lock the destination's VMA? "userfaultfd: use per-vma locks in userfaultfd ops"
 * (6.9) came with map_changing_lock; before it, it takes mmap_lock, and so do the faults of its
 * source.
 */
static __always_inline bool copy_locks_vma(void)
{
	return bpf_core_field_exists(struct userfaultfd_ctx___vma_locks, map_changing_lock);
}

/* The task that owns @mm, or NULL. mm_struct.owner needs CONFIG_MEMCG. */
static __always_inline struct task_struct *mm_owner(struct mm_struct *mm)
{
	return bpf_core_field_exists(mm->owner) ? mm->owner : NULL;
}

/* The returned task has no BTF type either. */
static __always_inline struct task_struct *mm_owner_at(struct mm_struct *mm)
{
	return bpf_core_field_exists(mm->owner) ? BPF_CORE_READ(mm, owner) : NULL;
}

/* A task of the process that has the mm at an address. NULL: it is gone. */
static __always_inline struct task_struct *mm_task_at(__u64 mm)
{
	struct task_struct *owner = mm_owner_at((struct mm_struct *)mm);

	/* Without CONFIG_MEMCG no mm has an owner. */
	if (!owner && own_mm_at(mm))
		owner = (struct task_struct *)bpf_get_current_task();
	return owner;
}

/* That process: its first thread. NULL: it is gone, or fork() is not done with it. */
static __always_inline struct task_struct *mm_process_at(__u64 mm)
{
	struct task_struct *task = mm_task_at(mm);

	return task && is_born(task) ? BPF_CORE_READ(task, group_leader) : NULL;
}

/* What mm_image() says of a process that fork() is not done with: nothing tells it from another. */
#define IMAGE_UNBORN (~0ULL)

/*
 * image_of() - the program that has the mm, as a number: the start of its process, plus 1 for each
 * exec. 0: it is gone. Or IMAGE_UNBORN. With the mm's address it is unique: nobody calls exec as often
 * as once a nanosecond.
 */
static __always_inline __u64 image_of(__u64 mm)
{
	struct task_struct *task = mm_task_at(mm), *process;

	if (!task)
		return 0;
	if (!is_born(task))
		return IMAGE_UNBORN;
	process = BPF_CORE_READ(task, group_leader);
	return BPF_CORE_READ(process, start_time) + BPF_CORE_READ(process, self_exec_id);
}

/* mm_image() - the same, as a global function: the verifier checks it once. */
__noinline __u64 mm_image(__u64 mm)
{
	return image_of(mm);
}

struct unmapped_range {
	__u64 mm;
	__u64 start;
	__u64 end;
};

/*
 * Where struct unmap_desc has its members, set by the loader (trace/kernel.c). Not a CO-RE
 * relocation: libbpf 1.1 looks for a type that vmlinux lacks in the modules, which takes
 * CAP_SYS_ADMIN.
 */
const volatile struct unmap_desc_layout unmap_desc = {};

/*
 * unmapped_range() - what unmap_vmas() is about to unmap.
 * @args: its arguments: (struct mmu_gather *tlb, struct unmap_desc *unmap) since 7.0; (tlb, struct
 *        ma_state *mas, struct vm_area_struct *vma, unsigned long start, unsigned long end, ...)
 *        before.
 * The barriers keep the compiler from merging the two branches' loads: the verifier wants fixed
 * offsets into a context.
 */
static __always_inline struct unmapped_range unmapped_range(const __u64 *args)
{
	struct unmapped_range range;

	if (unmap_desc.size) {
		__u64 unmap = args[1];
		struct vm_area_struct *first =
			*(struct vm_area_struct **)(unmap + unmap_desc.first);

		range.mm = (__u64)first->vm_mm;
		range.start = *(__u64 *)(unmap + unmap_desc.vma_start);
		range.end = *(__u64 *)(unmap + unmap_desc.vma_end);
		barrier_var(range.mm);
		barrier_var(range.start);
		barrier_var(range.end);
	} else {
		struct vm_area_struct *vma = (struct vm_area_struct *)args[2];

		range.mm = (__u64)vma->vm_mm;
		range.start = args[3];
		range.end = args[4];
		barrier_var(range.mm);
		barrier_var(range.start);
		barrier_var(range.end);
	}
	return range;
}

#endif /* COMPAT_BPF_H */
