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

/* The user's options, set between open and load. */
const volatile bool cfg_all = false;
const volatile __u32 cfg_self_tgid = 0;

/* enum phase: the loader's gate for every program. */
volatile __u32 phase = PHASE_OFF;

/*
 * Thread groups that are targets, a bit for each number in the loader's pid namespace: a test costs a
 * load, and the children of COMMAND cost what -p PID does.
 */
__u64 targets[PID_MAX / 64];

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

static __always_inline __u64 *target_word(__u32 tgid)
{
	return &targets[tgid / 64 % (PID_MAX / 64)];
}

static __always_inline bool is_target(__u32 tgid)
{
	return *(volatile __u64 *)target_word(tgid) & 1ULL << (tgid & 63);
}

/* slot_of_caller() - slot_of() by the current task alone: cheap, and likely to decide. */
static __always_inline int slot_of_caller(void)
{
	__u32 now = phase;

	if (__builtin_expect(now == PHASE_RUN, 1)) {
		if (cfg_all || is_target(current_tgid()))
			return SLOT_RUN;
		return cgroup_id && task_in_cgroup(bpf_get_current_task()) ? SLOT_RUN : -1;
	}
	if (now == PHASE_SELF_TEST && current_tgid() == cfg_self_tgid)
		return SLOT_SELF_TEST;
	return -1;
}

/* Is @owner a target? fork() gives it its number before it is born, so the one read after counts. */
static __always_inline bool is_owning_target(struct task_struct *owner)
{
	return is_target(task_tgid_at(owner)) && is_born(owner) && is_target(task_tgid_at(owner));
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
	return is_owning_target(owner) || (cgroup_id && task_in_cgroup((__u64)owner)) ? SLOT_RUN
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
	/* The first test decides for nearly all, without a call. */
	return is_target(task_tgid(owner)) && is_owning_target(owner) ? SLOT_RUN : -1;
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
 * slot_of_mm() - the part of slot_of() after slot_of_caller(), for the mm at an address. The caller's
 * own has a type: reading its owner is a load, not a call. Others are not cast (bpf_rdonly_cast()):
 * where a kernel lacks the kfunc (6.1), libbpf 1.1 looks for it in the modules, which takes
 * CAP_SYS_ADMIN.
 */
static __always_inline int slot_of_mm(__u64 mm)
{
	struct mm_struct *own = own_mm_at(mm);

	return own ? slot_of_owner(own) : slot_of_owner_at((struct mm_struct *)mm);
}

/* slot_of_at() - slot_of() for the mm at an address. */
static __always_inline int slot_of_at(__u64 mm)
{
	int slot = slot_of_caller();

	return slot < 0 ? slot_of_mm(mm) : slot;
}

/* slot_of_uffd() - slot_of() for the mm of @uffd, a userfaultfd without a BTF type. */
static __always_inline int slot_of_uffd(struct userfaultfd_ctx *uffd)
{
	int slot = slot_of_caller();

	return slot < 0 ? slot_of_mm((__u64)BPF_CORE_READ(uffd, mm)) : slot;
}

/* target_forked() - the child of a target is a target. */
static __always_inline void target_forked(struct task_struct *parent, struct task_struct *child)
{
	__u32 from = task_tgid(parent), tgid = task_tgid(child);

	if (from != tgid && is_target(from))
		__sync_fetch_and_or(target_word(tgid), 1ULL << (tgid & 63));
}

/* target_exited() - the last task of a target exits: another process may get its number soon. */
static __always_inline void target_exited(struct task_struct *task)
{
	__u32 tgid = task_tgid(task);

	if (is_target(tgid) && task->signal->live.counter == 0)
		__sync_fetch_and_and(target_word(tgid), ~(1ULL << (tgid & 63)));
}

#endif /* TARGET_BPF_H */
