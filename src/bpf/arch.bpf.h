/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * What differs by processor: the registers and numbers of system calls, the page-fault trap, the
 * order of loads, the page size. x86-64 and arm64.
 */
#ifndef ARCH_BPF_H
#define ARCH_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* Set by the loader from sysconf(_SC_PAGESIZE). */
const volatile __u32 page_shift = 12;

#define PAGE_SIZE (1ULL << page_shift) /* a load each time */
#define PAGE_ALIGN_DOWN(address) ((address) & -PAGE_SIZE)

#define SYSCALL_PROCESS_MADVISE 440
#define SYSCALL_ARGS 6

#define COMPAT_IOCTL 54

/* The trapnr of x86's fixup_exception() for a page fault (X86_TRAP_PF). */
#define TRAP_PAGE_FAULT 14

#if defined(__TARGET_ARCH_x86)

#define SYSCALL_IOCTL 16
#define SYSCALL_MADVISE 28

/* thread_info.status: the system call came from 32-bit code. */
#define TS_COMPAT 2

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

#define regs_arg2(regs) ((regs)->si)
#define regs_arg3(regs) ((regs)->dx)
#define regs_arg4(regs) ((regs)->r10)
#define compat_arg2(regs) ((__u32)(regs)->cx)
#define compat_arg3(regs) ((__u32)(regs)->dx)

/* The sixth argument of a kernel function that was just entered; BPF_KPROBE() gives five. */
static __always_inline __u64 regs_sixth_arg(const struct pt_regs *regs)
{
	return regs->r9;
}

/* Is the current system call of @task one of 32-bit code? */
static __always_inline bool is_compat_syscall(struct task_struct *task)
{
	return task->thread_info.status & TS_COMPAT;
}

/* Loads before it are done before loads after it. The processor keeps their order. */
#define read_barrier() barrier()

#elif defined(__TARGET_ARCH_arm64)

#define SYSCALL_IOCTL 29
#define SYSCALL_MADVISE 233

/* thread_info.flags, TIF_32BIT: the task runs 32-bit code. */
#define TIF_32BIT (1UL << 22)

static __always_inline __s64 regs_syscall(const struct pt_regs *regs)
{
	return regs->syscallno;
}

/* The first register becomes the result; the kernel keeps the argument. */
static __always_inline void regs_args(const struct pt_regs *regs, __u64 args[SYSCALL_ARGS])
{
	args[0] = regs->orig_x0;
	args[1] = regs->regs[1];
	args[2] = regs->regs[2];
	args[3] = regs->regs[3];
	args[4] = regs->regs[4];
	args[5] = regs->regs[5];
}

#define regs_arg2(regs) ((regs)->regs[1])
#define regs_arg3(regs) ((regs)->regs[2])
#define regs_arg4(regs) ((regs)->regs[3])
#define compat_arg2(regs) ((__u32)(regs)->regs[1])
#define compat_arg3(regs) ((__u32)(regs)->regs[2])

static __always_inline __u64 regs_sixth_arg(const struct pt_regs *regs)
{
	return regs->regs[5];
}

static __always_inline bool is_compat_syscall(struct task_struct *task)
{
	return task->thread_info.flags & TIF_32BIT;
}

/*
 * BPF has a fence only as part of an atomic that returns a value: a full barrier by the kernel's
 * memory model, and so by its JIT (Documentation/bpf/standardization: BPF_FETCH). An acquire load
 * needs 6.15 or later. The result is used, else the compiler takes the form without barrier.
 */
static __always_inline void read_barrier(void)
{
	__u64 word = 0, was = __sync_fetch_and_add(&word, 0);

	asm volatile("" : : "r"(was) : "memory");
}

#else
#error "no such processor: see docs/development/changes.md"
#endif

/* The user-space registers of @task. bpf_task_pt_regs() never returns NULL. */
static __always_inline struct pt_regs *user_regs(struct task_struct *task)
{
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

/*
 * The advice of madvise(addr, len, advice) or process_madvise(pidfd, iov, nr, advice, flags), -1
 * for any other call.
 */
static __always_inline __s32 regs_advice(const struct pt_regs *regs)
{
	switch ((__s32)regs_syscall(regs)) {
	case SYSCALL_MADVISE:
		return regs_arg3(regs);
	case SYSCALL_PROCESS_MADVISE:
		return regs_arg4(regs);
	default:
		return -1;
	}
}

/* The argument of the ioctl @cmd that @task is in; 0: it is in none. */
static __always_inline __u64 ioctl_arg(struct task_struct *task, __u32 cmd)
{
	const struct pt_regs *regs = user_regs(task);

	if (is_compat_syscall(task))
		return regs_syscall(regs) == COMPAT_IOCTL && compat_arg2(regs) == cmd
			       ? compat_arg3(regs)
			       : 0;
	return regs_syscall(regs) == SYSCALL_IOCTL && (__u32)regs_arg2(regs) == cmd
		       ? regs_arg3(regs)
		       : 0;
}

#endif /* ARCH_BPF_H */
