/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Fixed arrays as storage of tasks: a task's slot is found by its tid, in one of a few ways.
 *
 * Not task storage: its allocation may fail at any time (kmalloc_nolock()), and always does on CPUs
 * without cmpxchg16b.
 */
#ifndef TASK_SLOT_BPF_H
#define TASK_SLOT_BPF_H

#include "vmlinux.h"

#define NR_TASK_SLOTS (1 << 12)
#define TASK_SLOT_WAYS 4
#define TASK_SLOT_STRIDE 5003 /* the tids of a process are neighbours: the next way is far away */

/* The index of @tid's slot on @way. */
static __always_inline __u32 task_slot_index(__u32 tid, __u32 way)
{
	return (tid + way * TASK_SLOT_STRIDE) & (NR_TASK_SLOTS - 1);
}

#endif /* TASK_SLOT_BPF_H */
