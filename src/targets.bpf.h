/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Whose windows are counted, and in which totals. */
#ifndef TARGETS_BPF_H
#define TARGETS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "compat.bpf.h"
#include "tasks.bpf.h"

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
	return bpf_map_lookup_elem(&targets, &tgid) != NULL;
}

/* Is the current task's copy into @mm traced? What is cheap and likely comes first. */
static __always_inline bool is_traced(__u32 tgid, struct mm_struct *mm)
{
	__u64 current = bpf_get_current_task(); /* a number, as global functions want it */
	struct task_struct *owner;

	if (cfg_all || is_target(tgid))
		return true;
	if (cgroup_id && task_in_cgroup(current))
		return true;
	owner = mm ? mm_owner(mm) : NULL;
	if (!owner || (__u64)owner == current)
		return false;
	return is_target(task_tgid(owner)) || (cgroup_id && task_in_cgroup((__u64)owner));
}

/*
 * slot_of() - the totals that a copy by the current task into @mm goes to: a totals_slot, or -1 when it is not traced.
 * A copy is traced when its caller or the owner of the destination mm is a target: handlers often are another process.
 */
static __always_inline int slot_of(struct mm_struct *mm)
{
	__u32 tgid = current_tgid();

	if (phase == PHASE_OFF)
		return -1;
	if (phase == PHASE_SELF_TEST)
		return tgid == cfg_self_tgid ? SLOT_SELF_TEST : -1;
	return is_traced(tgid, mm) ? SLOT_RUN : -1;
}

#endif /* TARGETS_BPF_H */
