// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The BPF programs: each unpacks its hook's arguments and calls one body of bpf/.
 *
 * A program is named <function>_<entry|exit>[__<plan>], or <tracepoint>[__<plan>]; the suffix
 * stands where a function has several. All are SEC("?..."), off unless the plan asks for them
 * (trace/hook_table.c). Above each stand its job, the kernels that have its function, and the
 * prototype. An exit's return value is a full register: what the function returns in fewer bits is
 * masked.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "bpf/failure.bpf.h"
#include "bpf/hugetlb.bpf.h"
#include "bpf/plan_interval.bpf.h"
#include "bpf/plan_legacy.bpf.h"
#include "bpf/plan_retry.bpf.h"
#include "bpf/skip.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* --- Any plan --------------------------------------------------------------------------------- */

/*
 * Each fill ioctl, by its result.
 * long userfaultfd_ioctl(struct file *file, unsigned cmd, unsigned long arg)
 */
SEC("?fexit/userfaultfd_ioctl")
int BPF_PROG(userfaultfd_ioctl_exit, struct file *file, unsigned int cmd, unsigned long arg,
	     long ret)
{
	ioctl_returned(file, cmd, arg, ret);
	return 0;
}

/* Apart from the end of a window: the stack of 6.1 has no room for both. */
static __noinline void loops_ioctl_returned(struct file *file, __u32 cmd, __u64 arg, __s64 ret)
{
	ioctl_returned(file, cmd, arg, ret);
}

/* The same where the plan knows which tasks are in the copy loop: with this one out of it again. */
SEC("?fexit/userfaultfd_ioctl")
int BPF_PROG(userfaultfd_ioctl_exit__loops, struct file *file, unsigned int cmd, unsigned long arg,
	     long ret)
{
	if (cmd == UFFDIO_COPY)
		copy_returned(ret);
	loops_ioctl_returned(file, cmd, arg, ret);
	return 0;
}

/*
 * Each unmap: munmap, brk, both sides of mremap, MAP_FIXED over a mapping; also exit, when the mm
 * has no window. Called only where there is something to unmap. For its arguments see
 * unmapped_range().
 */
SEC("?fentry/unmap_vmas")
int BPF_RAW_PROG(unmap_vmas_entry)
{
	struct unmapped_range range = unmapped_range(ctx);

	vma_log_append(range.mm, range.start, range.end, VMA_UNMAP);
	return 0;
}

/*
 * Each write lock of a VMA. At exit: the writer may have slept in there, on this VMA, since before
 * the window. 6.16 and later, then with other arguments and an int:
 * void __vma_start_write(struct vm_area_struct *vma, unsigned int mm_lock_seq)
 */
SEC("?fexit/__vma_start_write")
int BPF_PROG(__vma_start_write_exit, struct vm_area_struct *vma)
{
	vma_log_append((__u64)vma->vm_mm, vma->vm_start, vma->vm_end, VMA_WRITE_LOCK);
	return 0;
}

/*
 * Who writes: each mmap_write_lock(); with --relock also who reads. 6.16 and later:
 * mmap_lock_acquire_returned(struct mm_struct *mm, bool write, bool success)
 */
SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(mmap_lock_acquire_returned__writers, struct mm_struct *mm, bool write, bool success)
{
	mmap_lock_acquired(ctx, mm, write, success);
	return 0;
}

/*
 * The same where the tracepoint has the path of a memory cgroup. Up to 6.12:
 * mmap_lock_acquire_returned(struct mm_struct *mm, const char *memcg_path, bool write,
 *	bool success)
 */
SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(mmap_lock_acquire_returned__writers_memcg, struct mm_struct *mm,
	     const char *memcg_path, bool write, bool success)
{
	mmap_lock_acquired(ctx, mm, write, success);
	return 0;
}

/*
 * With --relock: a write section ends. The number is still odd. 6.16 and later:
 * mmap_lock_released(struct mm_struct *mm, bool write)
 */
SEC("?tp_btf/mmap_lock_released")
int BPF_PROG(mmap_lock_released__relock, struct mm_struct *mm, bool write)
{
	if (write)
		hold_end(mm);
	return 0;
}

/*
 * The same where the tracepoint has the path of a memory cgroup. Up to 6.12:
 * mmap_lock_released(struct mm_struct *mm, const char *memcg_path, bool write)
 */
SEC("?tp_btf/mmap_lock_released")
int BPF_PROG(mmap_lock_released__relock_memcg, struct mm_struct *mm, const char *memcg_path,
	     bool write)
{
	if (write)
		hold_end(mm);
	return 0;
}

/*
 * Who writes: a growing stack, which neither a system call nor its arguments tell. mmap_lock is
 * held for write. 6.5 and later:
 * int expand_stack_locked(struct vm_area_struct *vma, unsigned long address)
 */
SEC("?fentry/expand_stack_locked")
int BPF_PROG(expand_stack_locked_entry, struct vm_area_struct *vma, unsigned long address)
{
	section_grows_stack(vma, address);
	return 0;
}

/*
 * The same where that function is inlined. 6.12 and later; before 6.5 mmap_lock was held for read:
 * int expand_downwards(struct vm_area_struct *vma, unsigned long address)
 */
SEC("?fentry/expand_downwards")
int BPF_PROG(expand_downwards_entry, struct vm_area_struct *vma, unsigned long address)
{
	section_grows_stack(vma, address);
	return 0;
}

/* --- Plans retry_fn and retry_state, 7.1 and later -------------------------------------------- */

/*
 * The copy loop ends. 6.12 and later:
 * ssize_t mfill_atomic_copy(struct userfaultfd_ctx *ctx, unsigned long dst_start,
 *	unsigned long src_start, unsigned long len, uffd_flags_t flags)
 */
SEC("?fexit/mfill_atomic_copy")
int BPF_PROG(mfill_atomic_copy_exit, struct userfaultfd_ctx *uffd, unsigned long dst,
	     unsigned long src, unsigned long len, unsigned int flags, long ret)
{
	copy_loop_returned(uffd, dst, len, ret);
	return 0;
}

/*
 * A page ends, with its window if it had one. Each fill ioctl calls it. 7.1 and later:
 * static int __mfill_atomic_pte(struct mfill_state *state, const struct vm_uffd_ops *ops)
 */
SEC("?fexit/__mfill_atomic_pte")
int BPF_PROG(__mfill_atomic_pte_exit, struct mfill_state *state, void *ops, int ret)
{
	page_returned(state, ret);
	return 0;
}

/*
 * Plan retry_fn: the begin. Both locks are still held. 7.1 and later, if not inlined:
 * static int mfill_copy_folio_retry(struct mfill_state *state, struct folio *folio)
 */
SEC("?kprobe.multi/mfill_copy_folio_retry")
int BPF_KPROBE(mfill_copy_folio_retry_probe, __u64 state)
{
	window_begin(as_mfill_state(state)->vma);
	return 0;
}

/* The same where the kernel has no kprobe.multi. */
SEC("?fentry/mfill_copy_folio_retry")
int BPF_PROG(mfill_copy_folio_retry_entry, struct mfill_state *state)
{
	window_begin(state->vma);
	return 0;
}

/*
 * Plan retry_fn: a kernel that compares mm_lock_seq has read it by now. 7.1 and later:
 * static void mfill_retry_state_save(struct mfill_retry_state *s, struct vm_area_struct *vma)
 */
SEC("?fentry/mfill_retry_state_save")
int BPF_PROG(mfill_retry_state_save_entry__retry_fn, struct mfill_retry_state *s,
	     struct vm_area_struct *vma)
{
	window_check_began(vma);
	return 0;
}

/*
 * Plan retry_fn: the relock. Also the first lock of each fill ioctl, when no window is open. 7.1
 * and later: static int mfill_get_vma(struct mfill_state *state)
 */
SEC("?fexit/mfill_get_vma")
int BPF_PROG(mfill_get_vma_exit, struct mfill_state *state, int ret)
{
	get_vma_returned(state, ret);
	return 0;
}

/* Plan retry_fn: the end, and the kernel's answer, whatever it compares. */
SEC("?fexit/mfill_copy_folio_retry")
int BPF_PROG(mfill_copy_folio_retry_exit, struct mfill_state *state, void *folio, int ret)
{
	retry_returned(state, ret);
	return 0;
}

/*
 * Plan retry_state: the begin. Both locks are still held. 7.1 and later (85668fda932a "userfaultfd:
 * verify VMA state across UFFDIO_COPY retry"), see above.
 */
SEC("?kprobe.multi/mfill_retry_state_save")
int BPF_KPROBE(mfill_retry_state_save_probe, void *s, __u64 vma)
{
	retry_began(as_vma(vma));
	return 0;
}

/* The same where the kernel has no kprobe.multi. */
SEC("?fentry/mfill_retry_state_save")
int BPF_PROG(mfill_retry_state_save_entry__retry_state, struct mfill_retry_state *s,
	     struct vm_area_struct *vma)
{
	retry_began(vma);
	return 0;
}

/*
 * Plan retry_state: the relocked VMA. For the prototype see below. The kernel's answer follows from
 * the page's errno.
 */
SEC("?kprobe.multi/mfill_retry_state_changed")
int BPF_KPROBE(mfill_retry_state_changed_probe, void *state, __u64 vma)
{
	window_checked(as_vma(vma));
	return 0;
}

/*
 * Plan retry_state: the relocked VMA, and the kernel's answer. Only AL holds it. 7.1 and later, with
 * contrib/kernel with one more argument:
 * static bool mfill_retry_state_changed(struct mfill_retry_state *state,
 *	struct vm_area_struct *vma)
 */
SEC("?fexit/mfill_retry_state_changed")
int BPF_PROG(mfill_retry_state_changed_exit, struct mfill_retry_state *state,
	     struct vm_area_struct *vma)
{
	__u64 ret = 0;

	if (!bpf_get_func_ret(ctx, &ret))
		window_compared(vma, ret & 0xff);
	return 0;
}

/* --- Plan interval, 6.12 to 7.0 --------------------------------------------------------------- */

/* The copy loop ends. For the prototype see mfill_atomic_copy_exit. */
SEC("?fexit/mfill_atomic_copy")
int BPF_PROG(mfill_atomic_copy_exit__interval, struct userfaultfd_ctx *uffd, unsigned long dst,
	     unsigned long src, unsigned long len, unsigned int flags, long ret)
{
	struct window *w = copy_of_current();

	if (w && w->looping)
		copy_exit(w, uffd, uffd->mmap_changing.counter != 0, dst, len, ret);
	else
		copy_exit_unseen(uffd->mm, uffd->mmap_changing.counter != 0, dst, len, ret);
	return 0;
}

/*
 * The copy loop begins: the destination's VMA is locked; or the relock. UFFDIO_MOVE calls it too.
 * 6.12 and later:
 * static struct vm_area_struct *uffd_lock_vma(struct mm_struct *mm, unsigned long address)
 */
SEC("?fexit/uffd_lock_vma")
int BPF_PROG(uffd_lock_vma_exit__interval, struct mm_struct *mm, unsigned long address,
	     struct vm_area_struct *vma)
{
	struct window *w = copy_at((__u64)mm);
	__u64 ret = 0;

	if (!w || bpf_get_func_ret(ctx, &ret))
		return 0;
	if (IS_ERR_VALUE(ret))
		copy_refused(w, address, ret);
	else
		copy_locked(w, address, vma);
	return 0;
}

/*
 * The begin: a copy with faults disabled failed. With faults enabled the source is unreadable. x86:
 * int fixup_exception(struct pt_regs *regs, int trapnr, unsigned long error_code,
 *	unsigned long fault_addr)
 */
SEC("?fentry/fixup_exception")
int BPF_PROG(fixup_exception_entry__interval, struct pt_regs *regs, int trapnr,
	     unsigned long error_code, unsigned long address)
{
	if (trapnr == TRAP_PAGE_FAULT)
		copy_fixup(address);
	return 0;
}

/*
 * The same on arm64:
 * static void __do_kernel_fault(unsigned long addr, unsigned long esr, struct pt_regs *regs)
 */
SEC("?fentry/__do_kernel_fault")
int BPF_PROG(__do_kernel_fault_entry__interval, unsigned long address)
{
	copy_fixup(address);
	return 0;
}

/*
 * The begin of shmem, nearer to the drop of the lock. 6.12 to 7.0:
 * int shmem_mfill_atomic_pte(pmd_t *dst_pmd, struct vm_area_struct *dst_vma,
 *	unsigned long dst_addr, unsigned long src_addr, uffd_flags_t flags, struct folio **foliop)
 */
SEC("?fexit/shmem_mfill_atomic_pte")
int BPF_PROG(shmem_mfill_atomic_pte_exit, void *dst_pmd, struct vm_area_struct *vma,
	     unsigned long dst, unsigned long src, unsigned int flags, void *foliop, int ret)
{
	if (ret)
		copy_page_failed(dst, ret);
	return 0;
}

/*
 * The latest begin: the source faults with faults enabled, so the lock is dropped. x86:
 * page_fault_kernel(unsigned long address, struct pt_regs *regs, unsigned long error_code)
 */
SEC("?tp_btf/page_fault_kernel")
int BPF_PROG(page_fault_kernel, unsigned long address)
{
	copy_unlocked(address);
	return 0;
}

/*
 * A page could not be installed; -EAGAIN: its page table is gone (pte_offset_map_lock()). 6.12 and
 * later, before that with more arguments than a program can have:
 * int mfill_atomic_install_pte(pmd_t *dst_pmd, struct vm_area_struct *dst_vma,
 *	unsigned long dst_addr, ...)
 */
SEC("?fexit/mfill_atomic_install_pte")
int BPF_PROG(mfill_atomic_install_pte_exit, void *dst_pmd, struct vm_area_struct *vma,
	     unsigned long dst)
{
	struct window *w = copy_of_current();
	__u64 ret = 0;

	if (w && !bpf_get_func_ret(ctx, &ret) && (__s32)ret)
		stop_note(dst, -(__s32)ret, SITE_PAGE);
	return 0;
}

/*
 * A page begins: the VMA has passed every test, at first or after the relock. Up to 7.0:
 * static pmd_t *mm_alloc_pmd(struct mm_struct *mm, unsigned long address)
 */
SEC("?kprobe.multi/mm_alloc_pmd")
int BPF_KPROBE(mm_alloc_pmd_probe, __u64 mm)
{
	struct window *w = copy_locks_vma() ? copy_at(mm) : copy_of_current();

	if (w)
		copy_passed(w, mm);
	return 0;
}

/* The same where the kernel has no kprobe.multi; also plans legacy and mmap_lock. */
SEC("?fentry/mm_alloc_pmd")
int BPF_PROG(mm_alloc_pmd_entry, struct mm_struct *mm)
{
	struct window *w = copy_of_current();

	if (w)
		copy_passed(w, (__u64)mm);
	return 0;
}

/* --- Plans legacy, 6.1 and 6.2, and mmap_lock, 6.3 to 6.8 -------------------------------------- */

/*
 * The copy loop begins. Up to 6.2:
 * ssize_t mcopy_atomic(struct mm_struct *dst_mm, unsigned long dst_start, unsigned long src_start,
 *	unsigned long len, atomic_t *mmap_changing, __u64 mode)
 */
SEC("?fentry/mcopy_atomic")
int BPF_PROG(mcopy_atomic_entry, struct mm_struct *mm, unsigned long dst, unsigned long src,
	     unsigned long len)
{
	legacy_enter((__u64)mm, dst, src, len);
	return 0;
}

/*
 * The same, 6.3 to 6.8: ssize_t mfill_atomic_copy(struct mm_struct *dst_mm, ..., atomic_t
 *	*mmap_changing, uffd_flags_t flags)
 */
SEC("?fentry/mfill_atomic_copy")
int BPF_PROG(mfill_atomic_copy_entry__mmap_lock, struct mm_struct *mm, unsigned long dst,
	     unsigned long src, unsigned long len)
{
	legacy_enter((__u64)mm, dst, src, len);
	return 0;
}

/* The copy loop ends. */
SEC("?fexit/mcopy_atomic")
int BPF_PROG(mcopy_atomic_exit, struct mm_struct *mm, unsigned long dst, unsigned long src,
	     unsigned long len, atomic_t *mmap_changing, __u64 mode, long ret)
{
	legacy_exit(mm, mmap_changing, dst, len, ret);
	return 0;
}

SEC("?fexit/mfill_atomic_copy")
int BPF_PROG(mfill_atomic_copy_exit__mmap_lock, struct mm_struct *mm, unsigned long dst,
	     unsigned long src, unsigned long len, atomic_t *mmap_changing, unsigned int flags,
	     long ret)
{
	legacy_exit(mm, mmap_changing, dst, len, ret);
	return 0;
}

/* A huge page could not be filled; plan mmap_lock. For the prototype see below. */
SEC("?fexit/hugetlb_mfill_atomic_pte")
int BPF_PROG(hugetlb_mfill_atomic_pte_exit__mmap_lock, void *dst_pte, void *vma, unsigned long dst,
	     unsigned long src, unsigned int flags, void *foliop, int ret)
{
	if (ret)
		copy_page_failed(dst, ret);
	return 0;
}

/* As fixup_exception_entry__interval, for every kind of destination. */
SEC("?fentry/fixup_exception")
int BPF_PROG(fixup_exception_entry__legacy, struct pt_regs *regs, int trapnr,
	     unsigned long error_code, unsigned long address)
{
	if (trapnr == TRAP_PAGE_FAULT)
		legacy_fixup(address);
	return 0;
}

/*
 * The begin: the copier drops mmap_lock. Up to 6.12:
 * mmap_lock_released(struct mm_struct *mm, const char *memcg_path, bool write)
 */
SEC("?tp_btf/mmap_lock_released")
int BPF_PROG(mmap_lock_released, struct mm_struct *mm, const char *memcg_path, bool write)
{
	if (!write)
		legacy_unlocked(mm);
	else if (cfg_relock)
		hold_end(mm);
	return 0;
}

/* The relock, and each write section. Arguments as for __writers_memcg. */
SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(mmap_lock_acquire_returned__legacy, struct mm_struct *mm, const char *memcg_path,
	     bool write, bool success)
{
	if (success)
		legacy_acquired(ctx, mm, write);
	return 0;
}

/*
 * The relocked VMA of a hugetlb destination has passed every test. Faults call it too.
 * pte_t *huge_pte_alloc(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr,
 *	unsigned long sz)
 */
SEC("?fentry/huge_pte_alloc")
int BPF_PROG(huge_pte_alloc_entry, struct mm_struct *mm)
{
	struct window *w = copy_of_current();

	if (w)
		copy_passed(w, (__u64)mm);
	return 0;
}

/*
 * Each unmap but brk()'s. At entry, because it may downgrade mmap_lock; it may still fail there, when the
 * mm has too many VMAs. 6.1 and 6.2:
 * int do_mas_munmap(struct ma_state *mas, struct mm_struct *mm, unsigned long start, size_t len,
 *	struct list_head *uf, bool downgrade)
 */
SEC("?fentry/do_mas_munmap")
int BPF_PROG(do_mas_munmap_entry, void *mas, struct mm_struct *mm, unsigned long start,
	     unsigned long len)
{
	const unsigned long size = mm->task_size;

	/* EINVAL */
	if (start & (PAGE_SIZE - 1) || !len || start > size || len > size - start)
		return 0;
	vma_log_append((__u64)mm, start, start + len, VMA_UNMAP);
	return 0;
}

/* --- hugetlb destinations, beside the plans of VMA locks -------------------------------------- */

/* A page is tried, or tried again after its window. For the prototype see below. */
SEC("?kprobe.multi/hugetlb_mfill_atomic_pte")
int BPF_KPROBE(hugetlb_mfill_atomic_pte_probe, void *dst_pte, __u64 vma, unsigned long dst,
	       unsigned long src, unsigned int flags)
{
	__u64 folio = 0;

	if (flags & MFILL_ATOMIC_MODE)
		return 0;
	/* The window left a folio with the copied page. */
	bpf_probe_read_kernel(&folio, sizeof(folio), (void *)regs_sixth_arg(ctx));
	hugetlb_enter(as_vma(vma), dst, folio);
	return 0;
}

/*
 * The begin, or proof that the window before passed every test. 6.12 and later:
 * int hugetlb_mfill_atomic_pte(pte_t *dst_pte, struct vm_area_struct *dst_vma,
 *	unsigned long dst_addr, unsigned long src_addr, uffd_flags_t flags, struct folio **foliop)
 */
SEC("?fexit/hugetlb_mfill_atomic_pte")
int BPF_PROG(hugetlb_mfill_atomic_pte_exit, void *dst_pte, struct vm_area_struct *vma,
	     unsigned long dst, unsigned long src, unsigned int flags, void *foliop, int ret)
{
	hugetlb_tried(vma, dst, !(flags & MFILL_ATOMIC_MODE), ret);
	return 0;
}

/*
 * The latest begin: with allow_pagefault the lock was dropped just before. 6.12 and later:
 * long copy_folio_from_user(struct folio *dst_folio, const void __user *usr_src,
 *	bool allow_pagefault)
 */
SEC("?kprobe.multi/copy_folio_from_user")
int BPF_KPROBE(copy_folio_from_user_probe, void *folio, void *src, unsigned long allow_pagefault)
{
	if (allow_pagefault & 0xff)
		hugetlb_dropped();
	return 0;
}

/*
 * The same where the kernel has no kprobe.multi. Not by BPF_PROG(): up to 6.12 the verifier lets no
 * program read a const void *.
 */
SEC("?fentry/copy_folio_from_user")
int BPF_RAW_PROG(copy_folio_from_user_entry)
{
	__u64 allow_pagefault = 0;

	if (!bpf_get_func_arg(ctx, 2, &allow_pagefault) && allow_pagefault & 0xff)
		hugetlb_dropped();
	return 0;
}

/* The source of a huge page is unreadable. For the prototype see copy_folio_from_user_probe. */
SEC("?fexit/copy_folio_from_user")
int BPF_RAW_PROG(copy_folio_from_user_exit)
{
	__u64 allow_pagefault = 0, left = 0;

	if (!bpf_get_func_arg(ctx, 2, &allow_pagefault) && allow_pagefault & 0xff &&
	    !bpf_get_func_ret(ctx, &left))
		hugetlb_copied(left);
	return 0;
}

/*
 * Plans retry_fn and retry_state: the relock. The first lock does not fire here: it is inlined.
 * 6.17 and later: static struct vm_area_struct *uffd_mfill_lock(struct mm_struct *dst_mm,
 *	unsigned long dst_start, unsigned long len)
 */
SEC("?fexit/uffd_mfill_lock")
int BPF_PROG(uffd_mfill_lock_exit, struct mm_struct *mm, unsigned long start, unsigned long len,
	     struct vm_area_struct *vma)
{
	struct window *w = hugetlb_window(mm);
	__u64 ret = 0;

	if (w && !bpf_get_func_ret(ctx, &ret))
		hugetlb_relocked(w, vma, ret);
	return 0;
}

/*
 * The same where that function does not exist. For the prototype see uffd_lock_vma_exit__interval.
 */
SEC("?fexit/uffd_lock_vma")
int BPF_PROG(uffd_lock_vma_exit__hugetlb, struct mm_struct *mm, unsigned long address,
	     struct vm_area_struct *vma)
{
	struct window *w = hugetlb_window(mm);
	__u64 ret = 0;

	if (w && !bpf_get_func_ret(ctx, &ret))
		hugetlb_relocked(w, vma, ret);
	return 0;
}

/* --- Relock latency, with --relock ------------------------------------------------------------ */

/* The copier takes the destination's lock; only with a window open it is the relock. */
SEC("?fentry/uffd_lock_vma")
int BPF_PROG(uffd_lock_vma_entry__relock, struct mm_struct *mm)
{
	window_relock_begins(window_of_current((__u64)mm));
	return 0;
}

/* The copier has the lock, or an error. */
SEC("?fexit/uffd_lock_vma")
int BPF_PROG(uffd_lock_vma_exit__relock, struct mm_struct *mm)
{
	window_relock_ends(window_of_current((__u64)mm));
	return 0;
}

/*
 * Plans legacy and mmap_lock: the copier is about to take mmap_lock; the last time in a window is the relock. Up
 * to 6.12: mmap_lock_start_locking(struct mm_struct *mm, const char *memcg_path, bool write)
 */
SEC("?tp_btf/mmap_lock_start_locking")
int BPF_PROG(mmap_lock_start_locking, struct mm_struct *mm, const char *memcg_path, bool write)
{
	if (!write)
		legacy_waits(mm);
	return 0;
}

/* --- Who raises and lowers mmap_changing; all are rare, and only for userfaultfds with events - */

/* int dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs) */
SEC("?fentry/dup_userfaultfd")
int BPF_PROG(dup_userfaultfd_entry, struct vm_area_struct *vma)
{
	changing_fork(vma);
	return 0;
}

/* 6.12 and later: void dup_userfaultfd_fail(struct list_head *fcs) */
SEC("?fexit/dup_userfaultfd_fail")
int BPF_PROG(dup_userfaultfd_fail_exit)
{
	changing_fork_failed();
	return 0;
}

/*
 * At entry: at exit @vma has lost its context if it does not raise.
 * void mremap_userfaultfd_prep(struct vm_area_struct *vma, struct vm_userfaultfd_ctx *vm_ctx)
 */
SEC("?fentry/mremap_userfaultfd_prep")
int BPF_PROG(mremap_userfaultfd_prep_entry, struct vm_area_struct *vma)
{
	changing_remap(vma);
	return 0;
}

/*
 * madvise() and unmaps raised it a moment ago. The functions that raise it run for every unmap,
 * this one only where the monitor asked for the event.
 * static void userfaultfd_event_wait_completion(struct userfaultfd_ctx *ctx,
 *	struct userfaultfd_wait_queue *ewq)
 */
SEC("?fentry/userfaultfd_event_wait_completion")
int BPF_PROG(userfaultfd_event_wait_completion_entry, struct userfaultfd_ctx *uffd,
	     struct userfaultfd_wait_queue *ewq)
{
	changing_waits(uffd, ewq);
	return 0;
}

/* The event was read, and mmap_changing lowered. */
SEC("?fexit/userfaultfd_event_wait_completion")
int BPF_PROG(userfaultfd_event_wait_completion_exit, void *uffd)
{
	changing_lower((__u64)uffd);
	return 0;
}

/*
 * 6.17 and later: void mremap_userfaultfd_fail(struct vm_userfaultfd_ctx *vm_ctx). It lowers from
 * 7.1 on. Before that a failed mremap() leaves mmap_changing raised: see changing_refused().
 */
SEC("?fexit/mremap_userfaultfd_fail")
int BPF_PROG(mremap_userfaultfd_fail_exit, struct vm_userfaultfd_ctx *vm_ctx)
{
	changing_lower((__u64)vm_ctx->ctx);
	return 0;
}

/* --- Targets ---------------------------------------------------------------------------------- */

/* With -- COMMAND: the children of a target are targets. */
SEC("?tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	target_forked(parent, child);
	return 0;
}

/* Also with -p: its number may be another process' before the loader looks. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	target_exited(task);
	return 0;
}

/* Run once by the loader, in its own context: which pid namespace its numbers belong to. */
SEC("?syscall")
int own_pid_ns(void *ctx)
{
	find_pid_ns();
	return 0;
}

/* Run by the loader after the stop: see windows_sweep(). */
SEC("?syscall")
int end_windows(void *ctx)
{
	windows_sweep();
	return 0;
}
