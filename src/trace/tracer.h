/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * A tracer: the BPF object with the programs of one plan, from open to close. No other part of the
 * tool uses libbpf's object API. Functions return 0 or a negative errno unless they say otherwise.
 */
#ifndef TRACER_H
#define TRACER_H

#include "counters/by.h"
#include "counters/run.h"

#include <stdbool.h>
#include <sys/types.h>

struct kernel;
struct plan;
struct stacks;
struct tracer;

struct tracer_config {
	const struct kernel *kernel;
	const struct plan *plan;
	bool all;	   /* every process */
	bool pids;	   /* targets are processes, by number */
	bool follow_forks; /* and their children */
	bool writers;	   /* tell who writes */
	bool witness;	   /* hook write locks of VMAs, as a second witness */
	bool events;	   /* one a window, for tracer_read_events() */
	bool relock;	   /* measure relock latency */
	bool stacks;	   /* of the writers, for tracer_stacks() */
	enum by by;	   /* count each target, for tracer_read_by() */
};

/* --- Life --- */

/* Print libbpf's messages on stderr only if @verbose. */
void tracer_libbpf_output(bool verbose);

/*
 * tracer_open() - open, configure and load the programs of a plan. None of them runs yet.
 * Returns 0 and *@t; -EPERM: the kernel refuses tracing programs; -ESRCH: a required function has
 * no address.
 */
int tracer_open(struct tracer **t, const struct tracer_config *cfg);

/* tracer_attach() - attach every hook, exits first. Programs do nothing before tracer_phase(). */
int tracer_attach(struct tracer *t);

/* tracer_phase() - set the phase, and wait until no program that saw the old one is running. */
void tracer_phase(struct tracer *t, enum phase phase);

/* tracer_stop() - the run ends: set the phase, and count the windows whose end was missed. */
int tracer_stop(struct tracer *t);

/* tracer_detach() - remove every hook. The counters stay. */
void tracer_detach(struct tracer *t);

/* The vm_flags that the last window of the self-test changed. */
__u64 tracer_flags_changed(const struct tracer *t);

/* Tell the programs which vm_flags are userfaultfd modes. */
void tracer_set_uffd_mask(struct tracer *t, __u64 mask);

/* Tell the programs which check the kernel has: other answers are anomalies. NR_CHECKS: none. */
void tracer_set_kernel_check(struct tracer *t, enum check check);

/* Detach and free. NULL is fine. */
void tracer_close(struct tracer *t);

/* --- Targets --- */

/* Add a thread group, by its number in our pid namespace. */
void tracer_add_target(struct tracer *t, pid_t tgid);
void tracer_remove_target(struct tracer *t, pid_t tgid);

/* Make the tasks of a cgroup (v2), and of those below it, targets. */
void tracer_add_cgroup(struct tracer *t, __u64 id);

/* Are we in a pid namespace of our own? Events of processes outside it have no pid. */
bool tracer_in_pid_ns(const struct tracer *t);

/* --- What the hooks can tell --- */

/* Windows of hugetlb destinations? */
bool tracer_sees_hugetlb(const struct tracer *t);
/* How early a begin is at most? Only windows with a second bound tell. */
bool tracer_bounds_begin(const struct tracer *t);
/* Relock latency? It must be asked for, and possible here. */
bool tracer_sees_relock(const struct tracer *t);
/* Calls lost because other programs came to our functions? */
bool tracer_sees_rehooks(const struct tracer *t);

/* The hooks as tracer_read() saw them last, in @hooks[MAX_HOOKS]. Returns how many. */
int tracer_hooks(const struct tracer *t, struct hook_state *hooks);

/*
 * tracer_watch_hooks() - have the kernel count program runs (CAP_SYS_ADMIN) until called with
 * false, which sets each hook's @fired. A function can have an address, and be inlined at the call
 * that matters.
 */
void tracer_watch_hooks(struct tracer *t, bool on);

/* tracer_skipped() - how many runs of its programs the kernel has skipped so far. */
__u64 tracer_skipped(const struct tracer *t);

/* tracer_count_runs() - have the kernel count each program's runs and time from now on. */
int tracer_count_runs(struct tracer *t);

/* A descriptor that polls readable when tracer_drain() must be called, or -1. */
int tracer_symbols_fd(const struct tracer *t);
void tracer_drain(struct tracer *t);

/* --- What the programs count --- */

/*
 * Read the counters of the run, or only the totals of one slot. The programs count on meanwhile,
 * and none is kept from running by it.
 */
int tracer_read(struct tracer *t, struct counters *c);
void tracer_read_totals(struct tracer *t, enum totals_slot slot, struct totals *totals);

/*
 * tracer_read_by() - read the table of targets, after tracer_read() has read @c. While the programs
 * count, the table can be a few copies ahead.
 */
void tracer_read_by(const struct tracer *t, const struct counters *c, struct by_table *table);

/* Read at most @max holders of mmap_changing, most refused calls first. Returns how many. */
int tracer_read_holders(struct tracer *t, struct holder_row *rows, int max);

/* The MAX_WRITERS writers, by id, as tracer_read() saw them last; NULL: no hook sees writers. */
const struct writer_entry *tracer_writers(const struct tracer *t);

/* tracer_stacks() - the stacks, if they were asked for. Valid after tracer_stop(), as long as @t. */
void tracer_stacks(const struct tracer *t, struct stacks *s);

/* --- Events --- */

/*
 * A descriptor that polls readable when the ring is a quarter full; for fewer events the caller
 * looks every EVENTS_PERIOD_MS. -1: no events were asked for.
 */
int tracer_events_fd(const struct tracer *t);

typedef void tracer_event_fn(void *data, const struct event *e);

/*
 * tracer_read_events() - hand the waiting events to @on_event, in the order of the ring. A batch is
 * bounded, so that a busy target leaves the caller time for its other work. Returns true when there
 * may be more.
 */
bool tracer_read_events(struct tracer *t, tracer_event_fn *on_event, void *data);

#endif /* TRACER_H */
