/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * For the test build only (make INJECT=1): some runs of one program do nothing, as if the kernel
 * had skipped them. Each program of uffdretry.bpf.c asks, because its macro does.
 */
#ifndef SKIP_BPF_H
#define SKIP_BPF_H

#include <bpf/bpf_tracing.h>

#ifdef INJECT_SKIPS

#include "skipped_runs.h"
#include "bpf/target.bpf.h"

/*
 * Set by the loader (trace/skip.c): the program's hash; of @skip_every runs the first @skip_length.
 */
const volatile __u32 skip_program = 0;
const volatile __u32 skip_every = 1;
const volatile __u32 skip_length = 0;

__u64 skip_runs;    /* of that program */
__u64 skipped_runs; /* of these */

static __always_inline bool is_skipped(__u32 program)
{
	if (program != skip_program || phase != PHASE_RUN)
		return false;
	if (__sync_fetch_and_add(&skip_runs, 1) % skip_every >= skip_length)
		return false;
	__sync_fetch_and_add(&skipped_runs, 1);
	return true;
}

/* clang-format off */
#undef BPF_PROG
#define BPF_PROG(name, args...)                                                          \
name(unsigned long long *ctx);                                                           \
static __always_inline int ____##name(unsigned long long *ctx, ##args);                  \
int name(unsigned long long *ctx)                                                        \
{                                                                                        \
	_Pragma("GCC diagnostic push")                                                   \
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")                           \
	return is_skipped(program_hash(#name)) ? 0 : ____##name(___bpf_ctx_cast(args));  \
	_Pragma("GCC diagnostic pop")                                                    \
}                                                                                        \
static __always_inline int ____##name(unsigned long long *ctx, ##args)

#undef BPF_KPROBE
#define BPF_KPROBE(name, args...)                                                        \
name(struct pt_regs *ctx);                                                               \
static __always_inline int ____##name(struct pt_regs *ctx, ##args);                      \
int name(struct pt_regs *ctx)                                                            \
{                                                                                        \
	_Pragma("GCC diagnostic push")                                                   \
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"")                           \
	return is_skipped(program_hash(#name)) ? 0 : ____##name(___bpf_kprobe_args(args)); \
	_Pragma("GCC diagnostic pop")                                                    \
}                                                                                        \
static __always_inline int ____##name(struct pt_regs *ctx, ##args)

#define BPF_RAW_PROG(name)                                                               \
name(__u64 *ctx);                                                                        \
static __always_inline int ____##name(__u64 *ctx);                                       \
int name(__u64 *ctx)                                                                     \
{                                                                                        \
	return is_skipped(program_hash(#name)) ? 0 : ____##name(ctx);                    \
}                                                                                        \
static __always_inline int ____##name(__u64 *ctx)
/* clang-format on */

#else

/* A program that reads its arguments from the context itself. */
#define BPF_RAW_PROG(name) name(__u64 *ctx)

#endif /* INJECT_SKIPS */

#endif /* SKIP_BPF_H */
