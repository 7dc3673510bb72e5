/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * One event a window, through a ring buffer: only with --events.
 *
 * The totals do not depend on it. Events that find the ring full are counted as lost: events and
 * lost events together are the windows.
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
 * event_begin() - an event of the current task, its pid, tid and comm set; NULL without --events or
 * in a full ring.
 */
static __always_inline struct event *event_begin(__u32 slot)
{
	struct event *e;

	if (!cfg_events || slot != SLOT_RUN)
		return NULL;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		count_lost(slot, LOST_EVENTS);
		return NULL;
	}
	e->pad = 0;
	e->pid = current_tgid();
	e->tid = current_tid();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
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
