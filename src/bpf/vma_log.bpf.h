/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The change log: which address ranges were unmapped or write-locked while windows were open.
 *
 * A writer must not pay for the number of open windows, so it does not look for them: it appends its range to a ring,
 * and a window that needs to know reads back, at its end, what was appended since its begin. Rings are shared by the
 * mms that hash to the same bucket; entries carry their mm. A writer whose mm has no window open pays one load and a
 * compare.
 *
 * Why this is exact: a window begins and ends under the read lock of its VMA. Whoever write-locks that VMA runs its
 * hook between the two, holding it. Whoever unmaps it may have downgraded mmap_lock before its hook runs, but the VMA
 * is detached by then, and what is mapped there next cannot be locked for reading before mmap_lock is released, after
 * the hook. So every entry that covers the destination is complete when its window ends at a VMA; an entry that is
 * still being written cannot concern it and is passed over. A ring that wrapped says so, and the window is then
 * undetermined, never guessed.
 */
#ifndef CHANGES_BPF_H
#define CHANGES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"

#define OPEN_SHIFT 12
#define NR_OPEN (1 << OPEN_SHIFT)
#define LOG_ENTRIES 1024

/* A ring each: a fork locks every VMA of the mm, and must not push the unmaps out. */
enum change_op {
	CHANGE_UNMAP,
	CHANGE_WRITE_LOCK,
	NR_CHANGE_OPS,
};

struct change {
	__u64 seq; /* position in the ring's life + 1; anything else: being written or overwritten */
	__u64 mm;
	__u64 start;
	__u64 end;
};

struct change_log {
	__u64 head;
	struct change ring[LOG_ENTRIES];
};

/* Open windows by a hash of their mm: the one test of every writer. */
__u32 open_windows[NR_OPEN];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_LOGS *NR_CHANGE_OPS); /* NR_LOGS where nobody logs write locks */
	__type(key, __u32);
	__type(value, struct change_log);
} change_logs SEC(".maps");

/*
 * The verifier allows no arithmetic on a pointer whose type it knows, but a 32-bit move makes a number of its low half;
 * the compiler would use 64-bit shifts for that. mm_structs are slab objects, aligned to cache lines.
 */
static __always_inline __u32 mm_hash(__u64 mm, __u32 bits)
{
	__u32 low;

	asm("%0 = %1" : "=w"(low) : "w"((__u32)mm));
	return ((low >> 6) * 0x9e3779b1U) >> (32 - bits);
}

static __always_inline __u32 *open_windows_of(__u64 mm)
{
	return &open_windows[mm_hash(mm, OPEN_SHIFT) & (NR_OPEN - 1)];
}

static __always_inline struct change_log *change_log_of(__u64 mm, enum change_op op)
{
	__u32 i = op * NR_LOGS + mm_hash(mm, LOG_SHIFT);

	return bpf_map_lookup_elem(&change_logs, &i);
}

/* How many changes were logged so far: a window remembers it at its begin. */
static __always_inline __u64 change_head(__u64 mm, enum change_op op)
{
	struct change_log *log = change_log_of(mm, op);

	return log ? *(volatile __u64 *)&log->head : 0;
}

/* Append a change of [@start, @end) in @mm. Called under @mm's mmap_lock held for write. */
static __always_inline void change_append(__u64 mm, __u64 start, __u64 end, enum change_op op)
{
	struct change_log *log;
	struct change *c;
	__u64 pos;

	if (!*(volatile __u32 *)open_windows_of(mm))
		return;
	log = change_log_of(mm, op);
	if (!log)
		return;
	pos = __sync_fetch_and_add(&log->head, 1);
	c = &log->ring[pos & (LOG_ENTRIES - 1)];
	/* Full barriers around the fields: a reader on another CPU sees seq only with what belongs to it. */
	__sync_lock_test_and_set(&c->seq, 0);
	c->mm = mm;
	c->start = start;
	c->end = end;
	__sync_lock_test_and_set(&c->seq, pos + 1);
}

struct change_query {
	struct change_log *log;
	__u64 mm;
	__u64 dst;
	__u64 pos; /* next entry to read */
	__u64 found;
};

static long change_match(__u32 i, struct change_query *q)
{
	struct change *c = &q->log->ring[q->pos++ & (LOG_ENTRIES - 1)];

	if (*(volatile __u64 *)&c->seq != q->pos || c->mm != q->mm)
		return 0;
	if (q->dst < c->start || q->dst >= c->end)
		return 0;
	q->found = 1;
	return 1;
}

/*
 * change_seen() - was there an @op that covers @dst in @mm since the log's head was @since, until it was @until?
 * Returns an enum seen. When the ring wrapped meanwhile, what it still holds may yet say yes; else it is unknown. The
 * head is compared once more after the search: an entry can only have been overwritten if the ring wrapped.
 */
static __always_inline __u32 change_seen(__u64 mm, enum change_op op, __u64 since, __u64 until, __u64 dst)
{
	struct change_query q = { .log = change_log_of(mm, op), .mm = mm, .dst = dst, .pos = since };
	volatile __u64 *head;
	__u64 nr;

	if (!q.log)
		return SEEN_UNKNOWN;
	head = &q.log->head;
	nr = until - since;
	if (nr > LOG_ENTRIES) {
		nr = LOG_ENTRIES;
		q.pos = until - LOG_ENTRIES;
	}
	bpf_loop(nr, change_match, &q, 0);
	if (q.found)
		return SEEN_YES;
	return *head - since > LOG_ENTRIES ? SEEN_UNKNOWN : SEEN_NO;
}

#endif /* CHANGES_BPF_H */
