/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * A log-linear histogram of durations: from a duration to its bucket and back. For BPF and for user
 * space.
 *
 * Each power of two is cut into HIST_SUB equal parts. A bucket is at most 25 % wide, so a value
 * read back from a bucket's middle is wrong by at most 12.5 %. Durations below 4 ns have a bucket
 * each; the last bucket takes everything from 7 * 2^34 ns (120 s) on.
 */
#ifndef HIST_H
#define HIST_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#define HIST_SUB_SHIFT 2
#define HIST_SUB (1 << HIST_SUB_SHIFT)
#define HIST_BUCKETS 144

struct hist {
	__u64 count[HIST_BUCKETS];
	__u64 sum; /* nanoseconds */
};

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* Position of the highest set bit; @v is not 0. The BPF target has no instruction for it. */
static __always_inline __u32 hist_log2(__u64 v)
{
	__u32 r = 0;

	if (v >> 32) {
		r += 32;
		v >>= 32;
	}
	if (v >> 16) {
		r += 16;
		v >>= 16;
	}
	if (v >> 8) {
		r += 8;
		v >>= 8;
	}
	if (v >> 4) {
		r += 4;
		v >>= 4;
	}
	if (v >> 2) {
		r += 2;
		v >>= 2;
	}
	return r + (v >> 1);
}

/* The bucket of @ns. Values 0 ... HIST_SUB-1 are their own bucket. */
static __always_inline __u32 hist_bucket(__u64 ns)
{
	__u32 log, bucket;

	if (ns < HIST_SUB)
		return ns;
	log = hist_log2(ns);
	bucket = ((log - HIST_SUB_SHIFT + 1) << HIST_SUB_SHIFT) +
		 ((ns >> (log - HIST_SUB_SHIFT)) & (HIST_SUB - 1));
	return bucket < HIST_BUCKETS ? bucket : HIST_BUCKETS - 1;
}

/* The smallest value in @bucket. */
static __always_inline __u64 hist_min(__u32 bucket)
{
	if (bucket < HIST_SUB)
		return bucket;
	return (__u64)(HIST_SUB + (bucket & (HIST_SUB - 1))) << ((bucket >> HIST_SUB_SHIFT) - 1);
}

/* The largest value in @bucket; the last one is open. */
static __always_inline __u64 hist_max(__u32 bucket)
{
	return bucket + 1 < HIST_BUCKETS ? hist_min(bucket + 1) - 1 : ~0ULL;
}

#endif /* HIST_H */
