/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Are an mm's write sections recorded? From its first traced window on, while one is open, and for
 * a while after: a writer may already be in when the next one opens.
 *
 * Compiled into the BPF object and into the host's unit tests alike.
 */
#ifndef MM_STATE_H
#define MM_STATE_H

#include "uffdretry.h"

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#else
#include <stdbool.h>
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/*
 * A minute at HZ=1000, ten at 100. Jiffies: reading the clock would be a tenth of a writer's cost.
 */
#define WATCH_JIFFIES 60000

/* mm_has_window() - is a window open there? The only test of every unmap. */
static __always_inline bool mm_has_window(const struct mm_state *mm)
{
	return *(const volatile __u32 *)&mm->open;
}

/* mm_may_be_watched() - the only test of every writer in an mm without windows. */
static __always_inline bool mm_may_be_watched(const struct mm_state *mm)
{
	return *(const volatile __u64 *)&mm->watched;
}

/*
 * mm_watch() - a window of @mm has opened @now: from here on its write sections are recorded. Returns
 * true for the first window in a jiffy: then the caller asks mm_passed().
 */
static __always_inline bool mm_watch(struct mm_state *mm, __u64 now)
{
	__u64 last = *(volatile __u64 *)&mm->watched;

	if (last == now)
		return false;
	if (!last)
		*(volatile __u64 *)&mm->watched_since = now;
	if (!last || (__s64)(now - last) >= WATCH_JIFFIES)
		*(volatile __u64 *)&mm->seen = 0;
	__sync_lock_test_and_set(&mm->watched, now);
	return true;
}

/* Between two windows: how much time passed, and by how much mm_lock_seq moved. */
struct mm_passed {
	__u64 ns;
	__u64 steps;
};

/*
 * mm_passed() - what passed since the last call, by mm_lock_seq @seq and the clock @now. It is 0 for
 * the first call of a watch, and after one for an mm with another @tag, or of another @image: a new mm
 * can get the address of one that is gone. Each call takes over from one other, so the sums are
 * right although CPUs overtake each other.
 */
static __always_inline struct mm_passed mm_passed(struct mm_state *mm, __u32 tag, __u64 image,
						  __u32 seq, __u64 now)
{
	__u64 of = __sync_lock_test_and_set(&mm->image, image);
	__u64 seen = __sync_lock_test_and_set(&mm->seen, (__u64)tag << 32 | seq);
	__u64 then = __sync_lock_test_and_set(&mm->seen_ns, now);
	struct mm_passed none = {};

	if (seen >> 32 != tag || of != image)
		return none;
	return (struct mm_passed) { now - then, (__s64)(__s32)(seq - (__u32)seen) };
}

/* mm_is_watched() - is a write section of @mm to be recorded @now? An open window keeps it so. */
static __always_inline bool mm_is_watched(struct mm_state *mm, __u64 now)
{
	__u64 last = *(volatile __u64 *)&mm->watched;
	bool open;

	if (!last)
		return false;
	if ((__s64)(now - last) < WATCH_JIFFIES)
		return true;
	open = mm_has_window(mm);
	__sync_val_compare_and_swap(&mm->watched, last, open ? now : 0);
	return open;
}

#endif /* MM_STATE_H */
