/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Events through a ring buffer: only with --events.
 *
 * The totals do not depend on it. Events that find the ring full are counted as lost, by kind:
 * events and lost events together are the windows, the failed copies, and the raises.
 */
#ifndef EVENT_BPF_H
#define EVENT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/count.bpf.h"
#include "bpf/target.bpf.h"

const volatile bool cfg_events = false;

/* Without --events the loader does not create it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENTS_BYTES);
} events SEC(".maps");

/*
 * Has the ring room for an event that counts as @lost without it? Where a monitor copies instead of
 * reading its event, more copies fail than can be read. So these may fill half of the ring,
 * mmap_changing three quarters, and windows all of it.
 */
static __always_inline bool ring_has_room(enum lost_cause lost)
{
	const __u64 kept = (lost - LOST_EVENTS) * (EVENTS_BYTES / 4);

	return !kept || bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < EVENTS_BYTES - kept;
}

/*
 * event_begin() - an event of the current task, its pid, tid and comm set; NULL without --events or
 * in a full ring. @lost says whose events share that room.
 */
static __always_inline struct event *event_begin(__u32 slot, __u32 what, enum lost_cause lost)
{
	struct event *e;

	if (!cfg_events || slot != SLOT_RUN)
		return NULL;
	e = ring_has_room(lost) ? bpf_ringbuf_reserve(&events, sizeof(*e), 0) : NULL;
	if (!e) {
		count_lost(slot, lost);
		return NULL;
	}
	e->what = what;
	e->kind = 0;
	e->pid = current_tgid();
	e->tid = current_tid();
	own_comm(e->comm);
	return e;
}

/*
 * event_end() - hand @e to the reader, which polls (EVENTS_PERIOD_MS) and is woken at each quarter
 * of the ring. More wake-ups would preempt tasks in our programs, and the kernel skips a preempted
 * program for others on this CPU. A quarter spans several events, because others may reserve theirs
 * before this task looks.
 */
static __always_inline void event_end(struct event *e)
{
	__u64 filled = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	bool wake = filled >= EVENTS_BYTES / 4 && filled % (EVENTS_BYTES / 4) < 8 * sizeof(*e);

	bpf_ringbuf_submit(e, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

#endif /* EVENT_BPF_H */
