/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* struct tracer, for the files behind tracer.h: tracer.c, configure.c, hook_stats.c, read.c, events.c. */
#ifndef TRACER_PRIVATE_H
#define TRACER_PRIVATE_H

#include "trace/hooks.h"
#include "trace/tracer.h"
#include "uffdretry.skel.h"

#include <bpf/libbpf.h>

/* What the kernel counted of a program when tracer_count_runs() was called. */
struct runs {
	__u64 count;
	__u64 ns;
	__u64 missed;
};

struct tracer {
	struct uffdretry_bpf *skel;

	/* By the index of the hook. */
	struct hook_state hooks[MAX_HOOKS];
	struct bpf_program *programs[MAX_HOOKS]; /* NULL: not loaded */
	struct bpf_link *links[MAX_HOOKS];
	struct runs runs_before[MAX_HOOKS];
	int nr_hooks;
	int stats_fd; /* the kernel counts runs while it is open; -1: not */

	int nr_targets; /* ever added */
	bool follow_forks;

	bool has_writers; /* somebody asks who writes, and a hook tells */
	struct writer_entry writers[MAX_WRITERS];
	__u64 unwitnessed; /* the last count while the witness had missed nothing: these stay anomalies */
	int nr_cpus;
	void *percpu; /* room for one value of the largest per-CPU map */

	struct ring_buffer *events; /* NULL: not asked for */
	tracer_event_fn *on_event;  /* of the tracer_read_events() that is running, and how many it handed on */
	void *on_event_data;
	int batch;
};

/* Of hook_stats.c: the sum of what the kernel skipped since the attach, also by hook. Returns 0 or a negative errno. */
int read_missed(struct tracer *t, __u64 *recursion);
/* Runs that the kernel skipped of the hooks with @role. */
__u64 missed_by(const struct tracer *t, __u32 role);

/* Of configure.c: choose the hooks of @cfg, and set what the programs know from the start. 0 or a negative errno. */
int configure(struct tracer *t, const struct tracer_config *cfg);
/* Was a hook with @role loaded? */
bool role_is_loaded(const struct tracer *t, __u32 role);

/* Of read.c: read the writers' rows; @counts by their id, or NULL. Returns 0 or a negative errno. */
int read_writers(struct tracer *t, struct writer_counts counts[MAX_WRITERS]);

/* Of events.c: returns 0 or a negative errno. */
int open_events(struct tracer *t);

#endif /* TRACER_PRIVATE_H */
