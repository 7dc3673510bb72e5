/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * For the test build only (make INJECT=1): a BPF program is known by a hash of its name, so that
 * each program can test in a few instructions whether its runs are to be skipped.
 */
#ifndef SKIPPED_RUNS_H
#define SKIPPED_RUNS_H

#include "uffdretry.h"

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#else
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define PROGRAM_NAME_MAX 64

/* program_hash() - FNV-1a. Of a string literal the compiler makes a constant. */
static __always_inline __u32 program_hash(const char *name)
{
	__u32 hash = 2166136261U;

#ifdef __bpf__
#pragma unroll
#endif
	for (int i = 0; i < PROGRAM_NAME_MAX && name[i]; i++)
		hash = (hash ^ (__u8)name[i]) * 16777619U;
	return hash;
}

#endif /* SKIPPED_RUNS_H */
