/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * --by: the counts of each target, which is the owner of the destination, whoever copies.
 *
 * A row belongs to a process (its number and when it started, so that a reused number is another
 * row), or to the owner's cgroup. It stays when the process is gone. Copies whose owner is gone
 * already, or is a child that fork() is not done with, share the row of the empty key. Row 0 is no
 * target's: it has what finds no row, so that all rows sum to the totals. Unlike these, the CPUs
 * share a row.
 */
#ifndef BY_BPF_H
#define BY_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/compat.bpf.h"
#include "bpf/count.bpf.h"
#include "bpf/task.bpf.h"

/* enum by. Without --by the verifier drops all of this, and the maps have one entry. */
const volatile __u32 cfg_by = BY_NOTHING;

/* The rows, by their id, which never changes. The loader maps them, as it does totals. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BY_ROWS + 1);
	__type(key, __u32);
	__type(value, struct by_row);
} by_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BY_ROWS);
	__type(key, struct by_key);
	__type(value, __u32);
} by_ids SEC(".maps");

/* The ids that were given away: the last one, too. */
struct own_line last_by;

static __always_inline void by_set_key(struct by_key *key, struct task_struct *owner)
{
	if (cfg_by == BY_CGROUP) {
		key->id = BPF_CORE_READ(owner, cgroups, dfl_cgrp, kn, id);
		return;
	}
	/* Of a process they stay the same when it executes another program. */
	key->id = BPF_CORE_READ(owner, start_time);
	key->tgid = BPF_CORE_READ(owner, tgid);
}

/* A new row's id; that of another CPU if that was faster; 0 when the table is full. */
static __always_inline __u32 by_new(const struct by_key *key, struct task_struct *owner)
{
	struct by_row *row;
	__u32 id, *winner;

	if (*(volatile __u64 *)&last_by.value >= BY_ROWS)
		return 0;
	id = __sync_fetch_and_add(&last_by.value, 1) + 1;
	row = bpf_map_lookup_elem(&by_rows, &id);
	if (!row)
		return 0;
	row->key = *key;
	if (owner && cfg_by == BY_PROCESS) {
		row->pid = task_tgid_at(owner);
		BPF_CORE_READ_INTO(&row->comm, owner, comm);
	}
	if (bpf_map_update_elem(&by_ids, key, &id, BPF_NOEXIST)) {
		winner = bpf_map_lookup_elem(&by_ids, key);
		return winner ? *winner : 0;
	}
	/* A full barrier: the loader sees the row only with its key. */
	__sync_lock_test_and_set(&row->used, 1);
	return id;
}

/*
 * by_find() - the id of the row for copies into the mm at an address. A global function: the
 * verifier checks it once.
 */
__noinline int by_find(__u64 mm)
{
	struct by_key key = {};
	struct task_struct *owner;
	__u32 *id;

	if (!cfg_by)
		return 0;
	owner = mm_process_at(mm);
	if (owner)
		by_set_key(&key, owner);
	id = bpf_map_lookup_elem(&by_ids, &key);
	return id ? *id : by_new(&key, owner);
}

/* by_of() - the same in the run, else 0. */
static __always_inline __u32 by_of(__u32 slot, __u64 mm)
{
	return cfg_by && slot == SLOT_RUN ? by_find(mm) : 0;
}

/* The row @id; NULL without --by, and in the self-test. */
static __always_inline struct by_row *by_row_at(__u32 slot, __u32 id)
{
	return cfg_by && slot == SLOT_RUN ? bpf_map_lookup_elem(&by_rows, &id) : NULL;
}

/* by_call() - UFFDIO_COPY into the mm at an address returned @ret. */
static __always_inline void by_call(__u32 slot, __u64 mm, __s64 ret)
{
	struct by_row *row = by_row_at(slot, by_of(slot, mm));

	if (!row)
		return;
	add(&row->counts.calls, 1);
	if (ret == -EAGAIN)
		add(&row->counts.eagain, 1);
}

/*
 * by_window() - a window of the row @id ended with @v after @ns; count_window() counts it as well.
 * @silences: what its class relies on.
 */
static __always_inline void by_window(__u32 slot, __u32 id, const struct verdict *v, __u64 ns,
				      __u32 silences)
{
	struct by_row *row = by_row_at(slot, id);

	if (!row)
		return;
	add(&row->counts.windows, 1);
	add_at(row->counts.lengths, BY_BUCKETS, by_bucket(ns), 1);
	if (v->meaning_reasons || !(v->reached & v->eagain & 1U << CHECK_PER_MM_SEQ))
		return;
	add(&row->counts.needless, 1);
	if (silences && CLASS_SET(v->class) & CLASSES_DOUBTFUL)
		add(&row->counts.doubtful, 1);
}

#endif /* BY_BPF_H */
