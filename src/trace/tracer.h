/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The BPF object's life: open, attach, phase, read, close. The only user of libbpf's object API.
 */
#ifndef TRACER_H
#define TRACER_H

#include "failure.h"
#include "trace/hooks.h"
#include "uffdretry.h"
#include "counters/writers.h"

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

/* All counters of a run, summed over the CPUs. */
struct counters {
	struct totals totals;
	struct hist hists[NR_KINDS][NR_CLASSES];
	struct hist begin; /* by how much a begin was early at most */
	struct hist relock[NR_RELOCK_HOW]; /* of windows in which the lock was asked for again; with tracer_sees_relock() */
	struct writer_counts writers[MAX_WRITERS]; /* by the id of tracer_writers() */
	struct failures failures;
	struct hist chain_lengths; /* of the chains that ended, not nanoseconds */
	__u64 recursion; /* the hooks' missed runs since the attach */
	__u64 chains_open;   /* at present */
	__u64 chain_longest; /* CHAIN_WORD() of the run so far */
	__u64 open;	 /* windows open at present, of everyone traced */
};

enum hook_fired {
	FIRED_UNKNOWN, /* nobody asked, or the kernel does not tell us */
	FIRED_NEVER,
	FIRED_YES,
};

struct hook_state {
	const struct hook *hook;
	bool attached;
	bool no_address;       /* in BTF, but the kernel has no symbol of that name */
	enum hook_fired fired; /* while tracer_watch_hooks() was on */
	__u64 runs;	       /* while the kernel counted them for --overhead, and the time they took */
	__u64 run_ns;
	__u64 skipped;	       /* of @missed, those of that time */
	__u64 missed;	       /* runs that the kernel skipped, because the program was running on that CPU */
};

#define MAX_HOOKS 32

/* It attached, was watched, and should have fired. */
static inline bool hook_is_silent(const struct hook_state *h)
{
	return h->attached && h->fired == FIRED_NEVER && !h->hook->rare;
}

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

/* Who raised mmap_changing since the start, and what it did to others. */
struct holder_row {
	struct holder who;
	struct holder_totals totals;
};
/* At most @max of them; returns how many. */
int tracer_read_holders(struct tracer *t, struct holder_row *rows, int max);

/* The hooks as tracer_read() saw them last; returns how many. */
int tracer_hooks(const struct tracer *t, struct hook_state *hooks);

/* What the writers of counters.writers are, MAX_WRITERS entries, as tracer_read() saw them last; NULL: no hook on them. */
const struct writer_entry *tracer_writers(const struct tracer *t);

/* Is re-take latency measured: asked for, and possible here? */
bool tracer_sees_relock(const struct tracer *t);

/* Detach and free. NULL is fine. */
void tracer_close(struct tracer *t);

#endif /* TRACER_H */
