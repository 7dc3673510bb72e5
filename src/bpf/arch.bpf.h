/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * What differs by processor: the registers and numbers of system calls, the page-fault trap, the
 * page size. x86-64.
 */
#ifndef ARCH_BPF_H
#define ARCH_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* Set by the loader from sysconf(_SC_PAGESIZE). */
const volatile __u32 page_shift = 12;

#define PAGE_SIZE (1ULL << page_shift) /* a load each time */
#define PAGE_ALIGN_DOWN(address) ((address) & -PAGE_SIZE)

/* fixup_exception()'s trapnr for a page fault (X86_TRAP_PF). */
#define TRAP_PAGE_FAULT 14

#define SYSCALL_IOCTL 16
#define COMPAT_IOCTL 54
#define SYSCALL_MADVISE 28
#define SYSCALL_PROCESS_MADVISE 440
#define SYSCALL_ARGS 6

/* thread_info.status: the system call came from 32-bit code. */
#define TS_COMPAT 2

/* The user-space registers of @task. bpf_task_pt_regs() never returns NULL. */
static __always_inline struct pt_regs *user_regs(struct task_struct *task)
{
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

/* The sixth argument of a kernel function that was just entered; BPF_KPROBE() gives five. */
static __always_inline __u64 regs_sixth_arg(const struct pt_regs *regs)
{
	return regs->r9;
}

/*
 * The number of the system call that these registers entered the kernel with; -1 in a fault or an
 * interrupt.
 */
static __always_inline __s64 regs_syscall(const struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline void regs_args(const struct pt_regs *regs, __u64 args[SYSCALL_ARGS])
{
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
	args[3] = regs->r10;
	args[4] = regs->r8;
	args[5] = regs->r9;
}

/*
 * The advice of madvise(addr, len, advice) or process_madvise(pidfd, iov, nr, advice, flags), -1
 * for any other call.
 */
static __always_inline __s32 regs_advice(const struct pt_regs *regs)
{
	switch ((__s32)regs_syscall(regs)) {
	case SYSCALL_MADVISE:
		return regs->dx;
	case SYSCALL_PROCESS_MADVISE:
		return regs->r10;
	default:
		return -1;
	}
}

/* Is the current system call of @task one of 32-bit code? */
static __always_inline bool is_compat_syscall(struct task_struct *task)
{
	return task->thread_info.status & TS_COMPAT;
}

/* The argument of the ioctl @cmd that @task is in; 0: it is in none. */
static __always_inline __u64 ioctl_arg(struct task_struct *task, __u32 cmd)
{
	const struct pt_regs *regs = user_regs(task);

	if (is_compat_syscall(task))
		return regs_syscall(regs) == COMPAT_IOCTL && (__u32)regs->cx == cmd
			       ? (__u32)regs->dx
			       : 0;
	return regs_syscall(regs) == SYSCALL_IOCTL && (__u32)regs->si == cmd ? regs->dx : 0;
}

#endif /* ARCH_BPF_H */
