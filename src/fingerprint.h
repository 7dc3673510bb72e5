/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Fingerprints of what a VMA refers to: of its content, because a new object may reuse the address
 * of an old one. Never 0, which means that there is none.
 *
 * Compiled into the BPF object and into the host's unit tests alike.
 */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include "uffdretry.h"

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#else
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define FINGERPRINT_SOME (1ULL << 63)
#define FINGERPRINT_PRIME 0x9e3779b97f4a7c15ULL

/* policy_fingerprint() - of a mempolicy. @nodes: the first 64. */
static __always_inline __u64 policy_fingerprint(__u16 mode, __u16 flags, __u32 home_node,
						__u64 nodes)
{
	return (((__u64)mode << 32) ^ ((__u64)flags << 16) ^ home_node ^
		(nodes * FINGERPRINT_PRIME)) |
	       FINGERPRINT_SOME;
}

#define ANON_NAME_MAX 80 /* ANON_VMA_NAME_MAX_LEN, the NUL included */
#define ANON_NAME_WORDS (ANON_NAME_MAX / 8)

/* name_fingerprint() - of a name in @words, with zeroes behind it. */
static __always_inline __u64 name_fingerprint(const __u64 words[ANON_NAME_WORDS])
{
	__u64 hash = 0;

#ifdef __bpf__
#pragma unroll
#endif
	for (int i = 0; i < ANON_NAME_WORDS; i++) {
		hash = (hash ^ words[i]) * FINGERPRINT_PRIME;
		hash ^= hash >> 32;
	}
	return hash | FINGERPRINT_SOME;
}

#endif /* FINGERPRINT_H */
