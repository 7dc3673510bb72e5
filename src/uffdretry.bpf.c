// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The programs: thin wrappers that unpack a hook's arguments and call one body.
 *
 * All are SEC("?..."), off unless the plan (plan.c) asks for them. Exits are used wherever they have what is needed:
 * one trampoline less, and the result is there. A fexit return value is a full register: what the function returns in
 * fewer bits is masked.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "uffdretry.h"
#include "bpf/window.bpf.h"
#include "bpf/failure.bpf.h"
#include "bpf/mmap_changing.bpf.h"
#include "bpf/plan_interval.bpf.h"
#include "bpf/hugetlb.bpf.h"
#include "bpf/plan_legacy.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define UFFDIO_COPY 0xc028aa03U

/*
 * slot_of() for the mm of @uffd, a userfaultfd without a BTF type; the mm is only read when it matters. Not with
 * bpf_rdonly_cast(): where a kernel has no such kfunc, 6.1, libbpf 1.1 looks for it in the modules, which takes CAP_SYS_ADMIN.
 */
static __always_inline int slot_of_uffd(struct userfaultfd_ctx *uffd)
{
	struct mm_struct *own = bpf_get_current_task_btf()->mm, *mm;
	int slot = slot_of_caller();

	if (slot >= 0)
		return slot;
	mm = BPF_CORE_READ(uffd, mm);
	/* Of the caller's own mm the verifier knows the type: who owns it is a load, not a call. */
	return own && mm == own ? slot_of_owner(own) : slot_of_owner_at(mm);
}

/* Another ioctl: is it one that fills memory, and is it traced? */
static __always_inline void fill_returned(struct file *file, unsigned int cmd, __s64 ret)
{
	struct userfaultfd_ctx *uffd = file->private_data;
	__s32 fill = fill_ioctl_of(cmd);
	int slot;

	if (fill < 0)
		return;
	slot = slot_of_uffd(uffd);
	if (slot >= 0)
		cause_of_fill(slot, uffd, fill, ret);
}

/*
 * Every UFFDIO_COPY, by what user space got, and why; the other fill ioctls likewise.
 * long userfaultfd_ioctl(struct file *file, unsigned cmd, unsigned long arg)
 */
SEC("?fexit/userfaultfd_ioctl")
int BPF_PROG(userfaultfd_ioctl_exit, struct file *file, unsigned int cmd, unsigned long arg, long ret)
{
	struct userfaultfd_ctx *uffd;
	int slot;

	if (phase == PHASE_OFF)
		return 0;
	if (cmd != UFFDIO_COPY) {
		fill_returned(file, cmd, ret);
		return 0;
	}
	uffd = file->private_data; /* a void *: the verifier does not know its type */
	slot = slot_of_uffd(uffd);
	if (slot < 0)
		return 0;
	count_call(slot, ret);
	if (ret < 0)
		cause_of(slot, uffd, arg, -ret);
	else if (chains_open())
		chain_success(slot, uffd, arg);
	return 0;
}

/*
 * The bytes that went through, why no more, and the end of a window that was missed before or has no other end.
 * ssize_t mfill_atomic_copy(struct userfaultfd_ctx *ctx, unsigned long dst_start, unsigned long src_start, unsigned
 *long len, uffd_flags_t flags), 6.12 and later
 */
SEC("?fexit/mfill_atomic_copy")
int BPF_PROG(mfill_atomic_copy_exit, struct userfaultfd_ctx *uffd, unsigned long dst, unsigned long src,
	     unsigned long len, unsigned int flags, long ret)
{
	struct mm_struct *mm = uffd->mm;
	struct window *w;
	int slot;

	if (!mm)
		return 0;
	slot = slot_of(mm);
	w = window_of_current((__u64)mm);
	if (w) {
		__u32 relock_result = overtaken_retake(w, uffd->mmap_changing.counter != 0, dst, len, ret);

		if (slot >= 0)
			cause_leave(uffd, dst, len, ret, w, relock_result);
		window_close(w, relock_result);
	} else if (slot >= 0) {
		cause_leave(uffd, dst, len, ret, NULL, RELOCK_OK);
	}
	if (slot >= 0)
		count_bytes(slot, ret);
	return 0;
}

/*
 * Plan retry_fn: the begin. Both locks are still held.
 * static int mfill_copy_folio_retry(struct mfill_state *state, struct folio *folio), 7.1 and later, where it is not
 * inlined
 */
SEC("?fentry/mfill_copy_folio_retry")
int BPF_PROG(mfill_copy_folio_retry_entry, struct mfill_state *state)
{
	window_begin(state->vma);
	return 0;
}

/*
 * Plan retry_fn: a kernel with another check has done the first half of it by now, see classify.h.
 * static void mfill_retry_state_save(struct mfill_retry_state *s, struct vm_area_struct *vma), 7.1 and later
 */
SEC("?fentry/mfill_retry_state_save")
int BPF_PROG(mfill_retry_state_save_entry__retry_fn, struct mfill_retry_state *s, struct vm_area_struct *vma)
{
	struct window *w = window_of_current((__u64)vma->vm_mm);

	if (w && w->open)
		window_check_began(w);
	return 0;
}

/* Plan retry_fn: the end, and the kernel's verdict, whatever it compares. */
SEC("?fexit/mfill_copy_folio_retry")
int BPF_PROG(mfill_copy_folio_retry_exit, struct mfill_state *state, void *folio, int ret)
{
	struct window *w = window_of_current((__u64)state->ctx->mm);

	if (!w)
		return 0;
	if (ret)
		cause_note(state->dst_addr, -ret, site_of_retry(state->vma, ret));
	retry_returned(w, state->vma, state->dst_addr, ret);
	return 0;
}

/*
 * Plan retry_state: the begin. Both locks are still held.
 * static void mfill_retry_state_save(struct mfill_retry_state *s, struct vm_area_struct *vma), 7.1 and later
 * (85668fda932a "userfaultfd: verify VMA state across UFFDIO_COPY retry")
 */
SEC("?fentry/mfill_retry_state_save")
int BPF_PROG(mfill_retry_state_save_entry__retry_state, struct mfill_retry_state *s, struct vm_area_struct *vma)
{
	window_begin(vma);
	return 0;
}

/*
 * Plan retry_fn: taking the VMA again. Also the first lock of every fill ioctl, when no window is open.
 * static int mfill_get_vma(struct mfill_state *state), 7.1 and later
 */
SEC("?fexit/mfill_get_vma")
int BPF_PROG(mfill_get_vma_exit, struct mfill_state *state, int ret)
{
	struct window *w = window_of_current((__u64)state->ctx->mm);

	if (!w)
		return 0;
	if (!ret) {
		window_relocked(w, state->vma, state->dst_addr);
		return 0;
	}
	w->facts.dst = state->dst_addr;
	window_close(w, ret == -EAGAIN ? RELOCK_BLOCKED : RELOCK_GONE);
	return 0;
}

/*
 * Plans retry_fn and retry_state: a page is through, with its window if it had one, or has failed. Every fill ioctl
 * calls it, COPY is mode 0; a window only COPY has.
 * static int __mfill_atomic_pte(struct mfill_state *state, const struct vm_uffd_ops *ops), 7.1 and later
 */
SEC("?fexit/__mfill_atomic_pte")
int BPF_PROG(__mfill_atomic_pte_exit, struct mfill_state *state, void *ops, int ret)
{
	struct mm_struct *mm = state->ctx->mm;
	struct window *w = window_of_current((__u64)mm);

	if (ret && !(state->flags & MFILL_ATOMIC_MODE) && mm && slot_of(mm) >= 0)
		cause_note(state->dst_addr, -ret, w ? site_of_window(w, state->ctx, ret) : SITE_PAGE);
	if (w)
		window_page(w, state->dst_addr, ret, ret == -EAGAIN && changing_is_up(state->ctx));
	return 0;
}

/*
 * Plan retry_state: the VMA is there again, and the kernel's own verdict.
 * static bool mfill_retry_state_changed(struct mfill_retry_state *state, struct vm_area_struct *vma), 7.1 and later.
 * Only AL holds the bool: the rest of the register is whatever the comparison left there.
 */
SEC("?fexit/mfill_retry_state_changed")
int BPF_PROG(mfill_retry_state_changed_exit, struct mfill_retry_state *state, struct vm_area_struct *vma,
	     unsigned long ret)
{
	struct window *w = window_of_current((__u64)vma->vm_mm);

	if (!w)
		return 0;
	window_held(w, vma);
	window_verdict(w, ret & 0xff);
	return 0;
}

/*
 * Plan interval: a copy begins. See interval.bpf.h.
 * ssize_t mfill_atomic_copy(struct userfaultfd_ctx *ctx, unsigned long dst_start, unsigned long src_start, unsigned
 * long len, uffd_flags_t flags), 6.12 and later
 */
SEC("?fentry/mfill_atomic_copy")
int BPF_PROG(mfill_atomic_copy_entry__interval, struct userfaultfd_ctx *uffd, unsigned long dst, unsigned long src,
	     unsigned long len)
{
	copy_enter(uffd->mm, dst, src, len);
	return 0;
}

/* Plan interval: a copy ends, and what it did is counted. */
SEC("?fexit/mfill_atomic_copy")
int BPF_PROG(mfill_atomic_copy_exit__interval, struct userfaultfd_ctx *uffd, unsigned long dst, unsigned long src,
	     unsigned long len, unsigned int flags, long ret)
{
	struct window *w = copy_of_current();

	if (!w)
		return 0;
	copy_exit(w, uffd->mmap_changing.counter != 0, ret);
	count_bytes(w->slot, ret);
	return 0;
}

/*
 * Plan interval: the destination's VMA is locked, at first and again.
 * static struct vm_area_struct *uffd_lock_vma(struct mm_struct *mm, unsigned long address), 6.12 and later; UFFDIO_MOVE
 * calls it too, but not inside a copy.
 */
SEC("?fexit/uffd_lock_vma")
int BPF_PROG(uffd_lock_vma_exit__interval, struct mm_struct *mm, unsigned long address, struct vm_area_struct *vma)
{
	struct window *w = copy_of_current();
	__u64 ret = 0;

	if (!w || bpf_get_func_ret(ctx, &ret))
		return 0;
	if (IS_ERR_VALUE(ret))
		copy_refused(w, ret);
	else
		copy_locked(w, vma);
	return 0;
}

/*
 * Plan interval: the copy of an unmapped page with faults disabled has failed, or of an unreadable one with faults
 * enabled.
 * int fixup_exception(struct pt_regs *regs, int trapnr, unsigned long error_code, unsigned long fault_addr), x86
 */
SEC("?fentry/fixup_exception")
int BPF_PROG(fixup_exception_entry__interval, struct pt_regs *regs, int trapnr, unsigned long error_code,
	     unsigned long addr)
{
	struct window *w = copy_of_current();
	__u64 at;

	if (!w || trapnr != TRAP_PAGE_FAULT)
		return 0;
	at = addr - w->copy.src;
	/* A copy of hugetlb pages has a loop of its own. */
	if (at >= w->copy.len || w->held.flags & VM_HUGETLB)
		return 0;
	if (bpf_get_current_task_btf()->pagefault_disabled)
		copy_failed(w, w->copy.dst + (at & PAGE_MASK));
	else if (w->open)
		cause_note(w->facts.dst, EFAULT, SITE_SOURCE);
	return 0;
}

/* Plan legacy: the same, for every kind of destination. */
SEC("?fentry/fixup_exception")
int BPF_PROG(fixup_exception_entry__legacy, struct pt_regs *regs, int trapnr, unsigned long error_code,
	     unsigned long addr)
{
	struct window *w = copy_of_current();
	__u64 at;

	if (!w || trapnr != TRAP_PAGE_FAULT)
		return 0;
	at = addr - w->copy.src;
	if (at >= w->copy.len)
		return 0;
	if (bpf_get_current_task_btf()->pagefault_disabled)
		legacy_failed(w, w->copy.dst + (at & PAGE_MASK));
	else
		legacy_faulted(w, w->copy.dst + (at & PAGE_MASK));
	return 0;
}

/*
 * Plan legacy: a copy begins.
 * ssize_t mcopy_atomic(struct mm_struct *dst_mm, unsigned long dst_start, unsigned long src_start, unsigned long len,
 * atomic_t *mmap_changing, __u64 mode), up to 6.2
 */
SEC("?fentry/mcopy_atomic")
int BPF_PROG(mcopy_atomic_entry, struct mm_struct *mm, unsigned long dst, unsigned long src, unsigned long len)
{
	copy_enter(mm, dst, src, len);
	return 0;
}

/* Plan legacy: a copy ends. */
SEC("?fexit/mcopy_atomic")
int BPF_PROG(mcopy_atomic_exit, struct mm_struct *mm, unsigned long dst, unsigned long src, unsigned long len,
	     atomic_t *mmap_changing, __u64 mode, long ret)
{
	struct window *w = copy_of_current();

	if (!w)
		return 0;
	copy_exit(w, BPF_CORE_READ(mmap_changing, counter) != 0, ret);
	count_bytes(w->slot, ret);
	return 0;
}

/*
 * Plan legacy: the copier drops mmap_lock. mmap_lock_released(struct mm_struct *mm, const char *memcg_path, bool
 * write), up to 6.12; memcg_path went later.
 */
SEC("?tp_btf/mmap_lock_released")
int BPF_PROG(mmap_lock_released, struct mm_struct *mm, const char *memcg_path, bool write)
{
	struct window *w = copy_of_current();

	if (w && !write && w->mm == (__u64)mm)
		legacy_unlocked(w);
	return 0;
}

/*
 * Plan legacy: the copier takes mmap_lock, or anybody takes it for writing.
 * mmap_lock_acquire_returned(struct mm_struct *mm, const char *memcg_path, bool write, bool success), up to 6.12
 */
SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(mmap_lock_acquire_returned__legacy, struct mm_struct *mm, const char *memcg_path, bool write, bool success)
{
	struct window *w;

	if (!success)
		return 0;
	if (write) {
		change_append((__u64)mm, 0, ~0ULL, CHANGE_WRITE_LOCK);
		if (has_writers)
			writer_note(mm);
		return 0;
	}
	w = copy_of_current();
	if (w && w->mm == (__u64)mm)
		legacy_locked(w);
	return 0;
}

/*
 * Plan legacy, --relock: the copier is about to wait for mmap_lock; of each time that it does in a window, the last is
 * the re-take. mmap_lock_start_locking(struct mm_struct *mm, const char *memcg_path, bool write), up to 6.12
 */
SEC("?tp_btf/mmap_lock_start_locking")
int BPF_PROG(mmap_lock_start_locking, struct mm_struct *mm, const char *memcg_path, bool write)
{
	struct window *w = copy_of_current();

	if (w && !write && w->open && w->mm == (__u64)mm)
		relock_begin(&w->relock);
	return 0;
}

/*
 * Plan legacy: the re-taken VMA of a hugetlb destination has passed every test. Also called by faults.
 * pte_t *huge_pte_alloc(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, unsigned long sz)
 */
SEC("?fentry/huge_pte_alloc")
int BPF_PROG(huge_pte_alloc_entry, struct mm_struct *mm)
{
	struct window *w = copy_of_current();

	if (w && w->mm == (__u64)mm)
		copy_passed(w);
	return 0;
}

/*
 * Plan legacy: every unmap, as unmap_vmas() later. At entry, for it may downgrade mmap_lock.
 * int do_mas_munmap(struct ma_state *mas, struct mm_struct *mm, unsigned long start, size_t len, struct list_head *uf,
 * bool downgrade), 6.1 and 6.2
 */
SEC("?fentry/do_mas_munmap")
int BPF_PROG(do_mas_munmap_entry, void *mas, struct mm_struct *mm, unsigned long start, unsigned long len)
{
	change_append((__u64)mm, start, start + len, CHANGE_UNMAP);
	return 0;
}

/*
 * Plan interval: the same for shmem, nearer to the drop; -ENOENT asks for the retry and nothing else.
 * int shmem_mfill_atomic_pte(pmd_t *dst_pmd, struct vm_area_struct *dst_vma, unsigned long dst_addr, unsigned long
 * src_addr, uffd_flags_t flags, struct folio **foliop), 6.12 to 7.0
 */
SEC("?fexit/shmem_mfill_atomic_pte")
int BPF_PROG(shmem_mfill_atomic_pte_exit, void *dst_pmd, struct vm_area_struct *vma, unsigned long dst,
	     unsigned long src, unsigned int flags, void *foliop, int ret)
{
	struct window *w = copy_of_current();

	if (w && ret == -ENOENT)
		copy_failed(w, dst);
	else if (w && ret)
		cause_note(dst, -ret, SITE_PAGE);
	return 0;
}

/*
 * Plan interval: a page could not be installed. -EAGAIN: its page table is gone (pte_offset_map_lock()).
 * int mfill_atomic_install_pte(pmd_t *dst_pmd, struct vm_area_struct *dst_vma, unsigned long dst_addr, ...), 6.12 and
 * later; with more arguments and another first one before, where it cannot be hooked
 */
SEC("?fexit/mfill_atomic_install_pte")
int BPF_PROG(mfill_atomic_install_pte_exit, void *dst_pmd, struct vm_area_struct *vma, unsigned long dst)
{
	struct window *w = copy_of_current();
	__u64 ret = 0;

	if (w && !bpf_get_func_ret(ctx, &ret) && (__s32)ret)
		cause_note(dst, -(__s32)ret, SITE_PAGE);
	return 0;
}

/*
 * Plan interval: the source faults with faults enabled, so the lock is dropped.
 * page_fault_kernel(unsigned long address, struct pt_regs *regs, unsigned long error_code), x86
 */
SEC("?tp_btf/page_fault_kernel")
int BPF_PROG(page_fault_kernel, unsigned long address)
{
	struct window *w = copy_of_current();

	if (w && !bpf_get_current_task_btf()->pagefault_disabled && address - w->copy.src < w->copy.len)
		window_bounded(w);
	return 0;
}

/*
 * Plan interval: the re-taken VMA has passed every test. Called for the first page too, when no window is open.
 * static pmd_t *mm_alloc_pmd(struct mm_struct *mm, unsigned long address), 6.12 to 7.0 and before
 */
SEC("?fentry/mm_alloc_pmd")
int BPF_PROG(mm_alloc_pmd_entry, struct mm_struct *mm)
{
	struct window *w = copy_of_current();

	if (w && w->mm == (__u64)mm)
		copy_passed(w);
	return 0;
}

/*
 * Any plan: a page of a hugetlb destination. See hugetlb.bpf.h.
 * int hugetlb_mfill_atomic_pte(pte_t *dst_pte, struct vm_area_struct *dst_vma, unsigned long dst_addr, unsigned long
 * src_addr, uffd_flags_t flags, struct folio **foliop), 6.12 and later
 */
SEC("?fexit/hugetlb_mfill_atomic_pte")
int BPF_PROG(hugetlb_mfill_atomic_pte_exit, void *dst_pte, struct vm_area_struct *vma, unsigned long dst,
	     unsigned long src, unsigned int flags, void *foliop, int ret)
{
	hugetlb_tried(vma, dst, !(flags & MFILL_ATOMIC_MODE), ret);
	return 0;
}

/*
 * Any plan: the lock of a hugetlb destination was dropped just before this, if faults are allowed.
 * long copy_folio_from_user(struct folio *dst_folio, const void __user *usr_src, bool allow_pagefault), 6.12 and later;
 * not by BPF_PROG(): up to 6.12 the verifier does not let a const void * be read.
 */
SEC("?fentry/copy_folio_from_user")
int copy_folio_from_user_entry(void *ctx)
{
	struct window *w = window_find();
	__u64 allow_pagefault = 0;

	if (!w || bpf_get_func_arg(ctx, 2, &allow_pagefault) || !(allow_pagefault & 0xff))
		return 0;
	window_bounded(w);
	return 0;
}

/*
 * Plans retry_fn and retry_state: a hugetlb destination is locked again. Plan interval sees that in
 * uffd_lock_vma_exit__interval. Of uffd_mfill_lock() only its retry calls the copy that is not inlined; every copy locks by uffd_lock_vma().
 * static struct vm_area_struct *uffd_mfill_lock(struct mm_struct *dst_mm, unsigned long dst_start, unsigned long len),
 * 6.17 and later
 */
SEC("?fexit/uffd_mfill_lock")
int BPF_PROG(uffd_mfill_lock_exit, struct mm_struct *mm, unsigned long start, unsigned long len,
	     struct vm_area_struct *vma)
{
	struct window *w = window_of_current((__u64)mm);
	__u64 ret = 0;

	if (w && w->kind == KIND_HUGETLB && !bpf_get_func_ret(ctx, &ret))
		hugetlb_relocked(w, vma, ret);
	return 0;
}

/* The same where that function is not there. */
SEC("?fexit/uffd_lock_vma")
int BPF_PROG(uffd_lock_vma_exit__hugetlb, struct mm_struct *mm, unsigned long address, struct vm_area_struct *vma)
{
	struct window *w = window_of_current((__u64)mm);
	__u64 ret = 0;

	if (w && w->kind == KIND_HUGETLB && !bpf_get_func_ret(ctx, &ret))
		hugetlb_relocked(w, vma, ret);
	return 0;
}

/*
 * Every unmap: munmap, brk, mremap's source and target, MAP_FIXED over a mapping; also the end of an mm, which has no
 * window then. mmap_lock may have been downgraded, but who maps something there again must wait for its release. Called
 * only where there is something to unmap, so an mmap() elsewhere does not come by. Its arguments: see unmapped_range().
 */
SEC("?fentry/unmap_vmas")
int unmap_vmas_entry(__u64 *ctx)
{
	struct unmapped_range range = unmapped_range(ctx);

	change_append(range.mm, range.start, range.end, CHANGE_UNMAP);
	return 0;
}

/*
 * Every write lock of a VMA, whoever takes it: mmap, munmap, mprotect, split, merge, madvise, mremap, mlock, mbind,
 * fork, uffd (un)register ... At exit: a writer may have been asleep in there, on this very VMA, since before the
 * window. void __vma_start_write(struct vm_area_struct *vma, ...), 6.16 and later; int and other arguments later
 */
SEC("?fexit/__vma_start_write")
int BPF_PROG(__vma_start_write_exit, struct vm_area_struct *vma)
{
	change_append((__u64)vma->vm_mm, vma->vm_start, vma->vm_end, CHANGE_WRITE_LOCK);
	return 0;
}

/* mmap_lock of @mm was taken, or with a trylock not. */
static __always_inline void lock_acquired(struct mm_struct *mm, bool write, bool success)
{
	struct window *w;

	if (!success)
		return;
	if (write && has_writers) {
		writer_note(mm);
		return;
	}
	if (write || !cfg_relock)
		return;
	w = window_of_current((__u64)mm);
	if (w)
		relock_mmap_lock(&w->relock);
}

/*
 * Who writes: every mmap_write_lock(). See writers.bpf.h.
 * mmap_lock_acquire_returned(struct mm_struct *mm, bool write, bool success), 6.16 and later
 */
SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(mmap_lock_acquire_returned__writers, struct mm_struct *mm, bool write, bool success)
{
	lock_acquired(mm, write, success);
	return 0;
}

/* The same with a const char *memcg_path before write, up to 6.12. */
SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(mmap_lock_acquire_returned__writers_memcg, struct mm_struct *mm, const char *memcg_path, bool write,
	     bool success)
{
	lock_acquired(mm, write, success);
	return 0;
}

/*
 * --relock: the copier takes the destination's lock, at first, when no window is open, or again.
 * static struct vm_area_struct *uffd_lock_vma(struct mm_struct *mm, unsigned long address), 6.12 and later
 */
SEC("?fentry/uffd_lock_vma")
int BPF_PROG(uffd_lock_vma_entry__relock, struct mm_struct *mm)
{
	struct window *w = window_of_current((__u64)mm);

	if (w && w->open)
		relock_begin(&w->relock);
	return 0;
}

/* --relock: and has it, or an error. */
SEC("?fexit/uffd_lock_vma")
int BPF_PROG(uffd_lock_vma_exit__relock, struct mm_struct *mm)
{
	struct window *w = window_of_current((__u64)mm);

	if (w && w->open)
		relock_end(&w->relock);
	return 0;
}

/*
 * Who writes: of a stack that grows neither a system call nor its arguments tell.
 * int expand_stack_locked(struct vm_area_struct *vma, unsigned long address), 6.5 and later; under mmap_lock for
 * writing
 */
SEC("?fentry/expand_stack_locked")
int BPF_PROG(expand_stack_locked_entry, struct vm_area_struct *vma, unsigned long address)
{
	writer_grows_stack(vma, address);
	return 0;
}

/*
 * Who raises mmap_changing, and who lowers it: see changing.bpf.h. All are rare, and only of userfaultfds with events.
 * int dup_userfaultfd(struct vm_area_struct *vma, struct list_head *fcs): @vma is the child's, with the parent's
 * context
 */
SEC("?fentry/dup_userfaultfd")
int BPF_PROG(dup_userfaultfd_entry, struct vm_area_struct *vma)
{
	struct userfaultfd_ctx *uffd = vma->vm_userfaultfd_ctx.ctx;

	if (uffd && uffd->features & UFFD_FEATURE_EVENT_FORK)
		changing_raise(uffd, CHANGING_FORK, 0, 0);
	return 0;
}

/*
 * void mremap_userfaultfd_prep(struct vm_area_struct *vma, struct vm_userfaultfd_ctx *vm_ctx); at its exit @vma has
 * lost its context if it does not raise
 */
SEC("?fentry/mremap_userfaultfd_prep")
int BPF_PROG(mremap_userfaultfd_prep_entry, struct vm_area_struct *vma)
{
	struct userfaultfd_ctx *uffd = vma->vm_userfaultfd_ctx.ctx;

	if (uffd && uffd->features & UFFD_FEATURE_EVENT_REMAP)
		changing_raise(uffd, CHANGING_REMAP, vma->vm_start, vma->vm_end);
	return 0;
}

/*
 * madvise and unmaps: mmap_changing was raised a moment ago. The functions that raise it are called by everyone who
 * unmaps or drops memory, this one only where somebody asked for the event. What a call was refused for meanwhile is
 * not known. static void userfaultfd_event_wait_completion(struct userfaultfd_ctx *ctx, struct userfaultfd_wait_queue
 * *ewq)
 */
SEC("?fentry/userfaultfd_event_wait_completion")
int BPF_PROG(userfaultfd_event_wait_completion_entry, struct userfaultfd_ctx *uffd, struct userfaultfd_wait_queue *ewq)
{
	__u8 event = ewq->msg.event;

	if (event == UFFD_EVENT_REMOVE || event == UFFD_EVENT_UNMAP)
		changing_raise(uffd, event == UFFD_EVENT_REMOVE ? CHANGING_REMOVE : CHANGING_UNMAP,
			       ewq->msg.arg.remove.start, ewq->msg.arg.remove.end);
	return 0;
}

/* static void userfaultfd_event_wait_completion(struct userfaultfd_ctx *ctx, struct userfaultfd_wait_queue *ewq) */
SEC("?fexit/userfaultfd_event_wait_completion")
int BPF_PROG(userfaultfd_event_wait_completion_exit, void *uffd)
{
	changing_lower((__u64)uffd);
	return 0;
}

/*
 * void mremap_userfaultfd_fail(struct vm_userfaultfd_ctx *vm_ctx), 6.17 and later; it lowers from 7.1 on. Before, what
 * it leaves raised is held by nobody: see changing_refused().
 */
SEC("?fexit/mremap_userfaultfd_fail")
int BPF_PROG(mremap_userfaultfd_fail_exit, struct vm_userfaultfd_ctx *vm_ctx)
{
	changing_lower((__u64)vm_ctx->ctx);
	return 0;
}

/* A target's children are targets: only with -- COMMAND. */
SEC("?tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 from = task_tgid(parent), tgid = task_tgid(child);
	__u8 one = 1;

	if (from == tgid || !is_target(from))
		return 0;
	if (bpf_map_update_elem(&targets, &tgid, &one, BPF_ANY))
		count_lost(SLOT_RUN, LOST_MAP_FULL);
	return 0;
}

/* A target's number may be another process's soon. Only with -- COMMAND; with -p the loader watches its targets. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	__u32 tgid = task_tgid(task);

	if (is_target(tgid) && task->signal->live.counter == 0)
		bpf_map_delete_elem(&targets, &tgid);
	return 0;
}

/* Run once by the loader, in its own context: which pid namespace its numbers belong to. */
SEC("?syscall")
int own_pid_ns(void *ctx)
{
	struct pid *pid = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid);
	struct upid *upid;

	pid_level = BPF_CORE_READ(pid, level);
	upid = upid_at(pid, pid_level);
	pid_ns = (__u64)BPF_CORE_READ(upid, ns);
	return 0;
}
