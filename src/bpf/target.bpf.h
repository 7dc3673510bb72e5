/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Whose windows are counted, and in which totals. */
#ifndef TARGETS_BPF_H
#define TARGETS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/compat.bpf.h"
#include "bpf/task.bpf.h"

#define MAX_TARGETS 16384

/* The user's wish, set between open and load. */
const volatile bool cfg_all = false;
const volatile __u32 cfg_self_tgid = 0;

/* enum phase; the loader's gate over every program. */
volatile __u32 phase = PHASE_OFF;

/* Thread groups that are targets, by their number in the loader's pid namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, __u8);
} targets SEC(".maps");

/* The target when there is just one (-p PID), which is cheaper to compare than to look up; 0: look it up. */
volatile __u32 only_target = 0;

/*
 * The loader stores here to wait until no program runs that has seen an older phase: an update of a map of maps waits
 * for an RCU grace period (maybe_wait_bpf_programs()).
 */
struct inner_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};
struct inner_map quiesce_inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner_map);
} quiesce SEC(".maps") = {
	.values = { &quiesce_inner },
};

static __always_inline bool is_target(__u32 tgid)
{
	__u32 only = only_target;

	if (only)
		return tgid == only;
	return bpf_map_lookup_elem(&targets, &tgid) != NULL;
}

/* slot_of_caller() - like slot_of(), by the current task alone: what is cheap and likely. */
static __always_inline int slot_of_caller(void)
{
	__u32 now = phase, tgid;

	if (now == PHASE_OFF)
		return -1;
	if (now == PHASE_RUN && cfg_all)
		return SLOT_RUN;
	tgid = current_tgid();
	if (now == PHASE_SELF_TEST)
		return tgid == cfg_self_tgid ? SLOT_SELF_TEST : -1;
	if (is_target(tgid) || (cgroup_id && task_in_cgroup(bpf_get_current_task())))
		return SLOT_RUN;
	return -1;
}

/* slot_of_owner_at() - the same by the owner of @mm, an address without a BTF type. */
static __always_inline int slot_of_owner_at(struct mm_struct *mm)
{
	struct task_struct *owner;

	if (phase != PHASE_RUN || !mm)
		return -1;
	owner = mm_owner_at(mm);
	if (!owner || (__u64)owner == bpf_get_current_task())
		return -1;
	return is_target(task_tgid_at(owner)) || (cgroup_id && task_in_cgroup((__u64)owner)) ? SLOT_RUN : -1;
}

/* slot_of_owner() - the same of an mm with a type: handlers often are another process, so it must be cheap. */
static __always_inline int slot_of_owner(struct mm_struct *mm)
{
	struct task_struct *owner;

	if (phase != PHASE_RUN || !mm)
		return -1;
	if (cgroup_id)
		return slot_of_owner_at(mm);
	owner = mm_owner(mm);
	if (!owner || (__u64)owner == bpf_get_current_task())
		return -1;
	return is_target(task_tgid(owner)) ? SLOT_RUN : -1;
}

/*
 * slot_of() - the totals that a copy by the current task into @mm goes to: a totals_slot, or -1 when it is not traced.
 * A copy is traced when its caller or the owner of the destination mm is a target.
 */
static __always_inline int slot_of(struct mm_struct *mm)
{
	int slot = slot_of_caller();

	return slot < 0 ? slot_of_owner(mm) : slot;
}

#endif /* TARGETS_BPF_H */
