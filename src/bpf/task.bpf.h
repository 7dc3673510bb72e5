/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Who a task is, as the loader sees it: numbers in its pid namespace, and membership of a cgroup.
 *
 * A pid has a number in each namespace from the initial one down to its own; the loader's level
 * selects ours.
 */
#ifndef TASK_BPF_H
#define TASK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define PIDTYPE_TGID 1
#define MAX_CGROUP_DEPTH 64

/*
 * The loader's pid namespace, set by own_pid_ns(). Level 0 is the initial one, with every process
 * in it.
 */
volatile __u64 pid_ns = 0;
volatile __u32 pid_level = 0;

/*
 * The id of the cgroup whose tasks are targets, 0: none; and its depth + 1, once a task was seen in
 * it.
 */
volatile __u64 cgroup_id = 0;
volatile __u32 cgroup_depth = 0;

static __always_inline struct upid *upid_at(struct pid *pid, __u32 level)
{
	return (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	       level * bpf_core_type_size(struct upid);
}

/* The number of @pid in the loader's namespace, 0: not visible there. */
static __always_inline __u32 pid_number(struct pid *pid)
{
	struct upid *upid = upid_at(pid, pid_level);

	if (!pid || BPF_CORE_READ(pid, level) < pid_level ||
	    (__u64)BPF_CORE_READ(upid, ns) != pid_ns)
		return 0;
	return BPF_CORE_READ(upid, nr);
}

/* A task's process. */
static __always_inline __u32 task_tgid(struct task_struct *task)
{
	if (!pid_level)
		return task->tgid;
	return pid_number(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]));
}

/* The same of an address without a BTF type. */
static __always_inline __u32 task_tgid_at(struct task_struct *task)
{
	if (!pid_level)
		return BPF_CORE_READ(task, tgid);
	return pid_number(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]));
}

/* Has fork() come to give @task its numbers? Until then it owns its mm, and has its parent's. */
static __always_inline bool is_born(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
}

static __always_inline __u32 current_tgid(void)
{
	return task_tgid(bpf_get_current_task_btf());
}

/*
 * The current task's number in the initial namespace, whatever the loader's. By the task, which
 * 7.0 and later read without a call (bpf_jit_inlines_helper_call()).
 */
static __always_inline __u32 own_tid(void)
{
	return bpf_get_current_task_btf()->pid;
}

/* own_comm() - the current task's name. Older kernels leave what is behind its end, and it is in keys of maps. */
static __always_inline void own_comm(char comm[COMM_LEN])
{
	__builtin_memset(comm, 0, COMM_LEN);
	bpf_get_current_comm(comm, COMM_LEN);
}

static __always_inline __u32 current_tid(void)
{
	if (!pid_level)
		return own_tid();
	return pid_number(BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid));
}

/* The id of @cgroup's ancestor at @level, itself included. */
static __always_inline __u64 ancestor_id(struct cgroup *cgroup, __u32 level)
{
	struct cgroup **at = (void *)cgroup + bpf_core_field_offset(struct cgroup, ancestors) +
			     level * sizeof(void *);
	struct cgroup *ancestor = NULL;

	bpf_probe_read_kernel(&ancestor, sizeof(ancestor), at);
	return ancestor ? BPF_CORE_READ(ancestor, kn, id) : 0;
}

/*
 * task_in_cgroup() - is the task at @address in the cgroup cgroup_id, or below it? In the v2
 * hierarchy. A cgroup's depth never changes, so after the first hit one level is compared. A global
 * function: the verifier checks its loop once.
 */
int task_in_cgroup(__u64 address)
{
	struct cgroup *cgroup = BPF_CORE_READ((struct task_struct *)address, cgroups, dfl_cgrp);
	__u32 known = cgroup_depth, level = BPF_CORE_READ(cgroup, level);

	if (known)
		return known - 1 <= level && ancestor_id(cgroup, known - 1) == cgroup_id;
	for (__u32 i = 0; i < MAX_CGROUP_DEPTH; i++) {
		if (i > level)
			return 0;
		if (ancestor_id(cgroup, i) != cgroup_id)
			continue;
		cgroup_depth = i + 1;
		return 1;
	}
	return 0;
}

/* find_pid_ns() - the current task is the loader: its namespace is the one of all numbers. */
static __always_inline void find_pid_ns(void)
{
	struct pid *pid = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid);
	struct upid *upid;

	pid_level = BPF_CORE_READ(pid, level);
	upid = upid_at(pid, pid_level);
	pid_ns = (__u64)BPF_CORE_READ(upid, ns);
}

#endif /* TASK_BPF_H */
