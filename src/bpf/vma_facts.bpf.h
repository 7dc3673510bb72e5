/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Reading the facts of a destination VMA, which is read-locked. */
#ifndef VMA_FACTS_BPF_H
#define VMA_FACTS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include "classify.h"
#include "bpf/compat.bpf.h"

/* read_facts() - of @vma, in @mm, into @f. */
static __always_inline void read_facts(struct vma_facts *f, struct vm_area_struct *vma,
				       struct mm_struct *mm)
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

/* read_facts_at() - the same of an address without a BTF type. */
static __always_inline void read_facts_at(struct vma_facts *f, __u64 address, __u64 mm)
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
	f->vm_lock_seq = vma_lock_seq_at(vma);
	f->mm_lock_seq = mm_lock_seq_of(mm);
}

/* kind_of_vma() - kind_of() a VMA whose facts were not read. */
static __always_inline __u32 kind_of_vma(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_HUGETLB)
		return KIND_HUGETLB;
	return vma->vm_ops ? KIND_SHMEM : KIND_ANON;
}

/* kind_of() - the enum dst_kind of a VMA. */
static __always_inline __u32 kind_of(const struct vma_facts *f)
{
	if (f->flags & VM_HUGETLB)
		return KIND_HUGETLB;
	return f->uffd_ops == UFFD_OPS_ANON ? KIND_ANON : KIND_SHMEM;
}

#endif /* VMA_FACTS_BPF_H */
