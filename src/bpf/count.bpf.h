/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * From a verdict to the totals of this CPU.
 *
 * Another program on the same CPU can preempt a tracing program, so even a CPU's own counters are
 * added to atomically.
 *
 * The loader maps the counters. It must not read them by bpf(2): the kernel skips all probes on a
 * CPU while it copies a value there (bpf_disable_instrumentation()), and whoever is preempted in
 * that keeps them skipped for a time slice.
 */
#ifndef COUNT_BPF_H
#define COUNT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "lib/hist.h"

/*
 * An array has the keys of the first CPU, then those of the next: the loader multiplies
 * max_entries.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NR_SLOTS);
	__type(key, __u32);
	__type(value, struct totals);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NR_SLOTS);
	__type(key, __u32);
	__type(value, struct failures);
} failures SEC(".maps");

#define NR_WINDOW_HISTS (NR_KINDS * NR_CLASSES)

/* Window durations, one histogram a kind and class; only SLOT_RUN has them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NR_WINDOW_HISTS);
	__type(key, __u32);
	__type(value, struct hist);
} window_hists SEC(".maps");

/* By how much a begin is early at most, where both bounds are seen. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hist);
} begin_hist SEC(".maps");

static __always_inline void add(__u64 *counter, __u64 n)
{
	__sync_fetch_and_add(counter, n);
}

/*
 * Add @n to counter @i of @nr. The barrier keeps the tested register the one that is used, as the
 * verifier wants.
 */
static __always_inline void add_at(__u64 *counters, __u32 nr, __u32 i, __u64 n)
{
	barrier_var(i);
	if (i < nr)
		add(&counters[i], n);
}

/* The place of @key among the @nr keys of this CPU. */
static __always_inline __u32 own_key(__u32 nr, __u32 key)
{
	return bpf_get_smp_processor_id() * nr + key;
}

static __always_inline struct totals *totals_of(__u32 slot)
{
	slot = own_key(NR_SLOTS, slot);
	return bpf_map_lookup_elem(&totals, &slot);
}

static __always_inline struct failures *failures_of(__u32 slot)
{
	slot = own_key(NR_SLOTS, slot);
	return bpf_map_lookup_elem(&failures, &slot);
}

static __always_inline void count_lost(__u32 slot, enum lost_cause cause)
{
	struct totals *t = totals_of(slot);

	if (t)
		add(&t->lost[cause], 1);
}

/* Add 1 to each of the @nr counters whose bit is set in @set. */
static __always_inline void add_set(__u64 *counters, __u32 set, int nr)
{
#pragma unroll
	for (int i = 0; i < nr; i++)
		if (set & (1U << i))
			add(&counters[i], 1);
}

/* Add 1 for each check that contradicts the kernel's answer. */
static __always_inline void count_differing(struct totals *t, const struct verdict *v)
{
	__u32 others = v->eagain & (1U << CHECK_KERNEL) ? ~v->eagain : v->eagain;

	others &= v->reached;
	if (!others)
		return;
		/* No branch per check: each would double the paths of the verifier. */
#pragma unroll
	for (int i = 0; i < NR_CHECKS; i++)
		add(&t->checks[i].differs, (others >> i) & 1);
}

static __always_inline void count_checks(struct totals *t, const struct verdict *v)
{
	bool real = v->meaning_reasons; /* a class of CLASSES_CHANGED */

	if (v->kernel_answer == KERNEL_ANSWER_NONE)
		add(&t->kernel_absent, 1);
	if (v->kernel_answer == KERNEL_ANSWER_SEEN) {
		add(&t->kernel_seen, 1);
		count_differing(t, v);
		if (v->raced)
			add(&t->kernel_raced, 1);
	}

	/* A check that passes a window without a change is counted nowhere. */
	if (!v->eagain && !real)
		return;
#pragma unroll
	for (int i = 0; i < NR_CHECKS; i++) {
		struct check_totals *c = &t->checks[i];

		if (!(v->reached & (1U << i)))
			continue;
		if (!(v->eagain & (1U << i))) {
			if (real)
				add(&c->missed, 1);
			continue;
		}
		add(&c->eagain, 1);
		add(real ? &c->real : &c->spurious, 1);
	}
}

/* Add @ns to histogram @i of the @nr of @hists. */
static __always_inline void count_ns(void *hists, __u32 nr, __u32 i, __u64 ns)
{
	__u32 key = own_key(nr, i), bucket = hist_bucket(ns);
	struct hist *h = bpf_map_lookup_elem(hists, &key);

	if (!h || bucket >= HIST_BUCKETS)
		return;
	add(&h->count[bucket], 1);
	add(&h->sum, ns);
}

/*
 * count_window() - count a window that took @ns. @external: the copier's mm is not the
 * destination's.
 */
static __always_inline void count_window(__u32 slot, __u32 kind, const struct verdict *v, __u64 ns,
					 bool external)
{
	struct totals *t = totals_of(slot);

	if (!t || kind >= NR_KINDS || v->class >= NR_CLASSES)
		return;
	add(&t->windows[kind][v->class], 1);
	if (v->odd_start)
		add(&t->odd_start, 1);
	if (external)
		add(&t->external, 1);
	if (v->anomaly)
		add(&t->anomalies, 1);
	if (v->file_unsure)
		add(&t->file_unsure, 1);
	if (v->unwitnessed)
		add(&t->unwitnessed, 1);
	if (v->snapshot_reasons)
		add_set(t->snapshot_reasons, v->snapshot_reasons, NR_SNAPSHOT_REASONS);
	if (v->meaning_reasons)
		add_set(t->meaning_reasons, v->meaning_reasons, NR_MEANING_REASONS);
	if (v->tolerated_reasons)
		add_set(t->tolerated_reasons, v->tolerated_reasons, NR_TOLERATED_REASONS);
	if (v->reached)
		count_checks(t, v);
	if (slot == SLOT_RUN)
		count_ns(&window_hists, NR_WINDOW_HISTS, kind * NR_CLASSES + v->class, ns);
}

/* count_silent() - the class of a window that was counted relies on @silences, a set. */
static __always_inline void count_silent(__u32 slot, __u32 kind, __u32 class, __u32 silences)
{
	struct totals *t = totals_of(slot);

	if (!t || kind >= NR_KINDS || class >= NR_CLASSES)
		return;
#pragma unroll
	for (int i = 0; i < NR_SILENCES; i++)
		if (silences & (1U << i))
			add(&t->silent[i][kind][class], 1);
}

/*
 * count_bounded() - both bounds of a begin were seen, @ns apart. @moved: mm_lock_seq differs
 * between them.
 */
static __always_inline void count_bounded(__u32 slot, __u64 ns, bool moved)
{
	struct totals *t = totals_of(slot);

	if (!t)
		return;
	add(&t->begin_bounded, 1);
	if (moved)
		add(&t->begin_moved, 1);
	if (slot == SLOT_RUN)
		count_ns(&begin_hist, 1, 0, ns);
}

/*
 * count_begin_unseen() - a window showed whose begin was missed, or came before the run: the loader
 * tells the two apart (read_counters.c).
 */
static __always_inline void count_begin_unseen(__u32 slot, __u32 kind)
{
	struct totals *t = totals_of(slot);

	if (t && kind < NR_KINDS)
		add(&t->begin_unseen[kind], 1);
}

/* count_call() - an ioctl returned @ret. */
static __always_inline void count_call(__u32 slot, __s64 ret)
{
	struct totals *t = totals_of(slot);
	__u64 e = ret < 0 ? -ret : 0;

	if (!t)
		return;
	add(&t->calls, 1);
	if (e >= NR_RETURNED)
		e = RETURNED_OTHER;
	add(&t->returned[e], 1);
}

static __always_inline void count_bytes(__u32 slot, __s64 bytes)
{
	struct totals *t = totals_of(slot);

	if (t && bytes > 0)
		add(&t->bytes, bytes);
}

#endif /* COUNT_BPF_H */
