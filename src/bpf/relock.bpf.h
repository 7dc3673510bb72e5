/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Re-take latency (--relock): how long taking the destination's lock again takes at the end of a window, and whether
 * mmap_lock was needed for it.
 *
 * uffd_lock_vma() tries the VMA's own lock, and falls back to mmap_lock when a writer has the VMA, when it is gone, or when
 * it has no anon_vma yet. Its entry would be one more hit for every copy, also those without a window: hence an option.
 */
#ifndef RELOCK_BPF_H
#define RELOCK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/count.bpf.h"

const volatile bool cfg_relock = false;

/* What is known of taking the lock again in one window. */
struct relock {
	__u64 begin_ns; /* 0: not begun, or ended */
	__u64 took_ns;	/* 0: not ended */
	__u32 how;	/* enum relock_how */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NR_RELOCK_HOW);
	__type(key, __u32);
	__type(value, struct hist);
} relock_hists SEC(".maps");

/* relock_begin() - the copier is about to take the lock. */
static __always_inline void relock_begin(struct relock *r)
{
	r->begin_ns = bpf_ktime_get_ns();
	r->took_ns = 0;
	r->how = RELOCK_VMA_LOCK;
}

/* relock_mmap_lock() - it has mmap_lock: the VMA's own lock was not to be had. */
static __always_inline void relock_mmap_lock(struct relock *r)
{
	if (r->begin_ns)
		r->how = RELOCK_MMAP_LOCK;
}

/* relock_end() - it has the lock, or was told that it will not get it. */
static __always_inline void relock_end(struct relock *r)
{
	if (!r->begin_ns)
		return;
	r->took_ns = bpf_ktime_get_ns() - r->begin_ns;
	r->begin_ns = 0;
}

/*
 * relock_count() - the window is over. @failed: the lock was not had, and the program that saw that may run before the
 * one that calls relock_end().
 */
static __always_inline void relock_count(struct relock *r, __u32 slot, bool failed)
{
	if (failed)
		relock_end(r);
	if (r->took_ns && slot == SLOT_RUN)
		count_ns(&relock_hists, r->how, r->took_ns);
}

#endif /* RELOCK_BPF_H */
