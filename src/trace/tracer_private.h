/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* struct tracer, and what the files behind tracer.h share. */
#ifndef TRACER_PRIVATE_H
#define TRACER_PRIVATE_H

#include "counters/run.h"
#include "trace/hook_table.h"
#include "uffdretry.skel.h"

#include <bpf/libbpf.h>

struct tracer_config;

/* What the kernel counted of a program when tracer_count_runs() was called. */
struct runs {
	__u64 count;
	__u64 ns;
	__u64 missed;
};

/* Windows of one class that rely on a silence. */
struct doubt {
	__u64 silent;  /* as many as there were at the last reading */
	__u64 windows; /* of these: undetermined, because the hook that was silent missed runs */
};

/* --- The counters of the BPF programs: arrays that rows.c maps --- */

/* Those before the writers' have the keys of each CPU. */
enum row_map {
	ROWS_TOTALS,
	ROWS_FAILURES,
	ROWS_WINDOW_HISTS,
	ROWS_BEGIN_HIST,
	ROWS_RELOCK_HISTS,
	ROWS_CHAIN_HIST,
	ROWS_WRITERS,
	ROWS_BY,
	ROWS_STACKS, /* these two only with --stacks */
	ROWS_STACK_NAMES,
	NR_ROW_MAPS
};

struct rows {
	const char *mem; /* NULL: not mapped */
	size_t bytes;	 /* mapped */
	size_t row;	 /* bytes of one */
	__u32 keys;	 /* of one CPU */
};

/* rows_at() - row @key of @cpu. */
static inline const void *rows_at(const struct rows *r, int cpu, __u32 key)
{
	return r->mem + ((size_t)cpu * r->keys + key) * r->row;
}

struct tracer {
	struct uffdretry_bpf *skel;

	/* By the index of the hook. */
	struct hook_state hooks[MAX_HOOKS];
	struct bpf_program *programs[MAX_HOOKS]; /* NULL: not loaded */
	struct bpf_link *links[MAX_HOOKS];
	struct runs runs_before[MAX_HOOKS];
	int nr_hooks;
	int skipped_hook; /* in the test build: whose runs are skipped, -1: none */
	int stats_fd;	  /* the kernel counts runs while it is open; -1: not */

	bool has_writers; /* somebody asks who writes, and a hook tells */
	struct writer_entry writers[MAX_WRITERS];
	__u64 unwitnessed; /* the last count before the witness missed a run: these are anomalies */
	struct doubt doubts[NR_SILENCES][NR_KINDS][NR_CLASSES];
	int nr_cpus;
	struct rows rows[NR_ROW_MAPS];

	bool loses_rehooked;	      /* as struct kernel's */
	struct perf_buffer *symbols;  /* of trampolines; NULL: not watched */
	int symbols_map;	      /* -1: none */
	__u64 trampolines[MAX_HOOKS]; /* their keys; 0: none */
	__u64 rehooks;

	struct ring_buffer *events; /* NULL: not asked for */
	/* While tracer_read_events() runs: its arguments, and how many events it has handed on. */
	void (*on_event)(void *data, const struct event *e);
	void *on_event_data;
	int batch;
};

/* hook_stats.c: read which runs the kernel skipped since the attach. 0 or a negative errno. */
int read_missed(struct tracer *t, struct counters *c);
/* Runs that the kernel skipped of the hooks with @role. */
__u64 missed_by(const struct tracer *t, __u32 role);

/*
 * rehooks.c: notice from here on when other programs come to our functions or leave them. 0 or a
 * negative errno.
 */
int watch_rehooks(struct tracer *t);
/* How often that happened so far; REHOOKS_UNTOLD: nobody can tell. */
__u64 read_rehooks(struct tracer *t);
void close_rehooks(struct tracer *t);

/* configure.c: choose the hooks, and set what the programs know. 0 or a negative errno. */
int configure(struct tracer *t, const struct tracer_config *cfg);
/* Was a hook with @role loaded? */
bool role_is_loaded(const struct tracer *t, __u32 role);

/* read_by.c: before the load, tell the programs what a target is, and give it a table. */
void size_by(struct tracer *t, enum by by);

/* read_stacks.c: before the load, have its maps created, or not. */
void size_stacks(struct tracer *t, bool stacks);

/* rows.c: before the load, give each CPU its rows; after it, map them. 0 or a negative errno. */
int size_rows(struct tracer *t);
int open_rows(struct tracer *t);
void close_rows(struct tracer *t);

/* read_counters.c: read the writers' rows; @counts, by id, may be NULL. */
void read_writers(struct tracer *t, struct writer_counts counts[MAX_WRITERS]);

/* events.c: 0 or a negative errno. */
int open_events(struct tracer *t);

#endif /* TRACER_PRIVATE_H */
