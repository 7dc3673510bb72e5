/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The change log: which address ranges were unmapped or write-locked while windows were open.
 *
 * A writer appends its range to a ring and does not look for windows. A window reads at its end
 * what was appended since its begin. The mms of a hash bucket share a ring; entries carry their mm.
 * Without an open window in its mm a writer pays one load and a compare.
 * docs/development/internals.md says why no entry can be missed; a ring that wrapped makes the
 * window undetermined.
 */
#ifndef VMA_LOG_BPF_H
#define VMA_LOG_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf/arch.bpf.h"
#include "change_ring.h"
#include "mm_state.h"
#include "uffdretry.h"

#define MM_STATE_SHIFT 12
#define NR_MM_STATES (1 << MM_STATE_SHIFT)

/* A ring each: a fork locks every VMA of the mm, and must not push the unmaps out. */
enum vma_op {
	VMA_UNMAP,
	VMA_WRITE_LOCK,
	NR_VMA_OPS,
};

/* Without a hook on write locks the loader shrinks the map to the NR_LOGS of VMA_UNMAP. */
#define NR_VMA_LOGS (NR_LOGS * NR_VMA_OPS)

struct mm_state mm_states[NR_MM_STATES];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_VMA_LOGS);
	__type(key, __u32);
	__type(value, struct change_ring);
} vma_logs SEC(".maps");

/* A 32-bit move makes a number of a pointer on which the verifier allows no arithmetic. */
static __always_inline __u32 mm_low(__u64 mm)
{
	__u32 low;

	asm("%0 = %1" : "=w"(low) : "w"((__u32)mm));
	return low;
}

/* A hash of @bits bits. mm_structs are slab objects, aligned to cache lines. */
static __always_inline __u32 mm_hash(__u64 mm, __u32 bits)
{
	return ((mm_low(mm) >> 6) * 0x9e3779b1U) >> (32 - bits);
}

/* Tells mms of the same hash apart, and the self-test's windows from those of the run. */
static __always_inline __u32 mm_tag(__u64 mm, enum totals_slot slot)
{
	return mm_low(mm) | slot;
}

static __always_inline struct mm_state *mm_state_of(__u64 mm)
{
	return &mm_states[mm_hash(mm, MM_STATE_SHIFT) & (NR_MM_STATES - 1)];
}

static __always_inline __u32 *open_windows_of(__u64 mm)
{
	return &mm_state_of(mm)->open;
}

static __always_inline struct change_ring *vma_log_of(__u64 mm, enum vma_op op)
{
	__u32 i = op * NR_LOGS + mm_hash(mm, LOG_SHIFT);

	return bpf_map_lookup_elem(&vma_logs, &i);
}

/* vma_log_head() - how many entries were logged so far: a window remembers it at its begin. */
static __always_inline __u64 vma_log_head(__u64 mm, enum vma_op op)
{
	struct change_ring *ring = vma_log_of(mm, op);

	return ring ? ring_head(ring) : 0;
}

/*
 * vma_log_append() - log @op on [@start, @end) in @mm. The caller holds @mm's mmap_lock for write.
 */
static __always_inline void vma_log_append(__u64 mm, __u64 start, __u64 end, enum vma_op op)
{
	const struct change change = { .mm = mm, .start = start, .end = end };
	struct change_ring *ring;

	if (!mm_has_window(mm_state_of(mm)))
		return;
	ring = vma_log_of(mm, op);
	if (ring)
		ring_append(ring, &change);
}

struct vma_query {
	struct change_ring *ring;
	__u64 mm;
	__u64 dst;
	__u64 pos; /* next to read */
	__u64 found;
};

static long vma_log_match(__u32 i, struct vma_query *q)
{
	q->found = ring_covers(q->ring, q->pos++, q->mm, q->dst);
	return q->found;
}

/*
 * vma_log_seen() - did an @op cover @dst in @mm while the log's head went from @since to @until?
 * Returns an enum seen.
 */
static __always_inline __u32 vma_log_seen(__u64 mm, enum vma_op op, __u64 since, __u64 until,
					  __u64 dst)
{
	struct vma_query q = { .ring = vma_log_of(mm, op), .mm = mm, .dst = dst };

	if (!q.ring)
		return SEEN_UNKNOWN;
	q.pos = ring_first(since, until);
	bpf_loop(until - q.pos, vma_log_match, &q, 0);
	return ring_answer(q.ring, since, q.found);
}

#endif /* VMA_LOG_BPF_H */
