/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The BPF object's life: open, attach, phase, read, close. The only user of libbpf's object API.
 */
#ifndef TRACER_H
#define TRACER_H

#include "counters/run.h"
#include "trace/hooks.h"

#include <stdbool.h>
#include <sys/types.h>

struct tracer;

struct tracer_config {
	const struct kernel *kernel;
	const struct plan *plan;
	bool all;	   /* every process */
	bool follow_forks; /* targets' children are targets */
	bool writers;	   /* who writes is asked */
	bool witness;	   /* write locks have a second witness */
	bool events;	   /* one a window, for tracer_read_events() */
	bool relock;	   /* re-take latency */
};

/* tracer_count_runs() - from here on the kernel counts each program's runs and their time. Returns 0 or a negative errno. */
int tracer_count_runs(struct tracer *t);

/* What libbpf says goes to stderr only if @verbose. */
void tracer_libbpf_output(bool verbose);

/*
 * tracer_open() - open, configure and load the programs of a plan. Nothing runs yet.
 * Returns 0 and *@t, or a negative errno: -EPERM the kernel refuses tracing programs; -ESRCH a function of the plan
 * cannot be found.
 */
int tracer_open(struct tracer **t, const struct tracer_config *cfg);

/* Attach every hook, exits first. The programs still do nothing until a phase says so. Returns 0 or a negative errno.
 */
int tracer_attach(struct tracer *t);

/* Add a target thread group, by its number in our pid namespace. Returns 0 or a negative errno. */
int tracer_add_target(struct tracer *t, pid_t tgid);
void tracer_remove_target(struct tracer *t, pid_t tgid);

/* Make the tasks of a cgroup (v2), and of those below it, targets. */
void tracer_add_cgroup(struct tracer *t, __u64 id);

/* Are we in a pid namespace other than the initial one? Processes outside have no number here: their events have none. */
bool tracer_in_pid_ns(const struct tracer *t);

/* Set the phase, and wait until no program that saw another one is running. */
void tracer_phase(struct tracer *t, enum phase phase);

/*
 * tracer_watch_hooks() - have the kernel count program runs (CAP_SYS_ADMIN), until called with false: then each hook's
 * @fired is known. A function can be in BTF, with an address, and inlined at the call that matters.
 */
void tracer_watch_hooks(struct tracer *t, bool on);

/* What the kernel compares after a retry, NR_CHECKS for unknown: another answer of it is an anomaly from now on. */
void tracer_kernel_is(struct tracer *t, enum check check);

/* Read the counters of the run, or only the totals of any slot. Returns 0 or a negative errno. */
int tracer_read(struct tracer *t, struct counters *c);
int tracer_read_totals(struct tracer *t, enum totals_slot slot, struct totals *totals);

/*
 * Readable when a quarter of the ring was full and it was not read empty since; for all other events the caller looks every
 * EVENTS_PERIOD_MS. -1 when no events were asked for.
 */
int tracer_events_fd(const struct tracer *t);

/*
 * tracer_read_events() - hand the events that wait to @on_event, in the order in which the ring got them.
 * Returns true when there may be more: a batch is bounded, so that a busy target cannot keep the caller from its other
 * work.
 */
typedef void tracer_event_fn(void *data, const struct event *e);
bool tracer_read_events(struct tracer *t, tracer_event_fn *on_event, void *data);

/* At most @max of them; returns how many. */
int tracer_read_holders(struct tracer *t, struct holder_row *rows, int max);

/* The hooks as tracer_read() saw them last; returns how many. */
int tracer_hooks(const struct tracer *t, struct hook_state *hooks);

/* What the writers of counters.writers are, MAX_WRITERS entries, as tracer_read() saw them last; NULL: no hook on them. */
const struct writer_entry *tracer_writers(const struct tracer *t);

/* Does it see windows of hugetlb destinations? */
bool tracer_sees_hugetlb(const struct tracer *t);

/* Is it measured how early begins are? Only where a window has a second bound, on the later side of the lock's drop. */
bool tracer_bounds_begin(const struct tracer *t);

/* Is re-take latency measured: asked for, and possible here? */
bool tracer_sees_relock(const struct tracer *t);

/* Detach and free. NULL is fine. */
void tracer_close(struct tracer *t);

#endif /* TRACER_H */
