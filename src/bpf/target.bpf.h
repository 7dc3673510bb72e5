/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Whose windows are counted, and in which totals. */
#ifndef TARGET_BPF_H
#define TARGET_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/compat.bpf.h"
#include "bpf/count.bpf.h"
#include "bpf/task.bpf.h"

#define MAX_TARGETS 16384

/* The user's options, set between open and load. */
const volatile bool cfg_all = false;
const volatile __u32 cfg_self_tgid = 0;

/* enum phase: the loader's gate for every program. */
volatile __u32 phase = PHASE_OFF;

/* Thread groups that are targets, by their number in the loader's pid namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, __u8);
} targets SEC(".maps");

/* The only target (-p PID), because a compare is cheaper than a lookup; 0: look it up. */
volatile __u32 only_target = 0;

/*
 * The loader updates this map of maps to wait until no program runs that has seen an older phase:
 * the update waits for an RCU grace period (maybe_wait_bpf_programs()).
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

/* slot_of_caller() - slot_of() by the current task alone: cheap, and likely to decide. */
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

/* slot_of_owner_at() - slot_of() by the owner of @mm, an address without a BTF type. */
static __always_inline int slot_of_owner_at(struct mm_struct *mm)
{
	struct task_struct *owner;

	if (phase != PHASE_RUN || !mm)
		return -1;
	owner = mm_owner_at(mm);
	if (!owner || (__u64)owner == bpf_get_current_task())
		return -1;
	return is_target(task_tgid_at(owner)) || (cgroup_id && task_in_cgroup((__u64)owner))
		       ? SLOT_RUN
		       : -1;
}

/*
 * slot_of_owner() - the same for an mm with a type. Handlers often are another process, so it must
 * be cheap.
 */
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
 * slot_of() - the enum totals_slot for a copy by the current task into @mm, or -1 when it is not
 * traced: neither the caller nor the owner of the destination mm is a target.
 */
static __always_inline int slot_of(struct mm_struct *mm)
{
	int slot = slot_of_caller();

	return slot < 0 ? slot_of_owner(mm) : slot;
}

/*
 * slot_of_uffd() - slot_of() for the mm of @uffd, a userfaultfd without a BTF type. Not with
 * bpf_rdonly_cast(): where a kernel lacks the kfunc (6.1), libbpf 1.1 looks for it in the modules,
 * which takes CAP_SYS_ADMIN.
 */
static __always_inline int slot_of_uffd(struct userfaultfd_ctx *uffd)
{
	struct mm_struct *own = bpf_get_current_task_btf()->mm, *mm;
	int slot = slot_of_caller();

	if (slot >= 0)
		return slot;
	mm = BPF_CORE_READ(uffd, mm);
	/* The caller's own mm has a type: reading its owner is a load, not a call. */
	return own && mm == own ? slot_of_owner(own) : slot_of_owner_at(mm);
}

/* target_forked() - the child of a target is a target. */
static __always_inline void target_forked(struct task_struct *parent, struct task_struct *child)
{
	__u32 from = task_tgid(parent), tgid = task_tgid(child);
	__u8 one = 1;

	if (from == tgid || !is_target(from))
		return;
	if (bpf_map_update_elem(&targets, &tgid, &one, BPF_ANY))
		count_lost(SLOT_RUN, LOST_MAP_FULL);
}

/* target_exited() - the last task of a target exits: another process may get its number soon. */
static __always_inline void target_exited(struct task_struct *task)
{
	__u32 tgid = task_tgid(task);

	if (is_target(tgid) && task->signal->live.counter == 0)
		bpf_map_delete_elem(&targets, &tgid);
}

#endif /* TARGET_BPF_H */
