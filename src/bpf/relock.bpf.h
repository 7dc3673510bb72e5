/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Relock latency (--relock): how long locking the destination again takes, and whether it needed
 * mmap_lock.
 *
 * uffd_lock_vma() tries the VMA's own lock. It falls back to mmap_lock when a writer has the VMA,
 * when the VMA is gone, or when it has no anon_vma yet. A hook on its entry costs one more hit for
 * every copy: hence an option.
 */
#ifndef RELOCK_BPF_H
#define RELOCK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/count.bpf.h"

const volatile bool cfg_relock = false;

/* The relock of one window. */
struct relock {
	__u64 begin_ns; /* 0: not begun, or ended */
	__u64 took_ns;	/* 0: not ended */
	__u32 how;	/* enum relock_how */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
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

/* relock_mmap_lock() - the copier has mmap_lock: it could not take the VMA's own lock. */
static __always_inline void relock_mmap_lock(struct relock *r)
{
	if (r->begin_ns)
		r->how = RELOCK_MMAP_LOCK;
}

/* relock_end() - the copier has the lock, or an error. */
static __always_inline void relock_end(struct relock *r)
{
	if (!r->begin_ns)
		return;
	r->took_ns = bpf_ktime_get_ns() - r->begin_ns;
	r->begin_ns = 0;
}

/*
 * relock_count() - the window is over. @failed: the relock failed; the program that saw that may
 * run before the one that calls relock_end().
 */
static __always_inline void relock_count(struct relock *r, __u32 slot, bool failed)
{
	if (failed)
		relock_end(r);
	if (r->took_ns && slot == SLOT_RUN)
		count_ns(&relock_hists, NR_RELOCK_HOW, r->how, r->took_ns);
}

#endif /* RELOCK_BPF_H */
