/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What a run is: its counters, its hooks, its self-test. Filled by trace/, printed by report/. */
#ifndef RUN_H
#define RUN_H

#include "counters/writers.h"
#include "lib/hist.h"
#include "uffdretry.h"

#include <stdbool.h>

struct hook;

/* Nobody can tell: perf events were refused. */
#define REHOOKS_UNTOLD (~0ULL)

/* All counters of a run, summed over the CPUs. */
struct counters {
	struct totals totals;
	struct hist hists[NR_KINDS][NR_CLASSES];
	struct hist begin;			   /* by how much a begin was early at most */
	struct hist relock[NR_RELOCK_HOW];	   /* latency, with tracer_sees_relock() */
	struct writer_counts writers[MAX_WRITERS]; /* by the id of tracer_writers() */
	struct failures failures;
	struct hist chain_lengths; /* of the chains that ended; lengths, not nanoseconds */
	__u64 recursion; /* runs of our programs that the kernel skipped since the attach */
	__u64 rehooks;	/* how often others changed the programs of our functions; REHOOKS_UNTOLD */
	__u64 unseen;	/* windows whose begin was missed: in the totals, and in no target's row */
	__u64 doubtful; /* windows that were needless, and are undetermined after all */
	__u64 skipped[NR_SKIP_COSTS]; /* these runs, by what may be missing: at most so many */
	__u64 chains_open;	      /* at present */
	__u64 chain_longest;	      /* CHAIN_WORD() of the run so far */
	__u64 open;		      /* windows open at present, of everyone traced */
};

/* Who raised mmap_changing since the start, and how many calls that refused. */
struct holder_row {
	struct holder who;
	struct holder_totals totals;
};

enum hook_fired {
	FIRED_UNKNOWN, /* not watched, or the kernel did not count */
	FIRED_NEVER,
	FIRED_YES,
};

struct hook_state {
	const struct hook *hook; /* its row in trace/hook_table.c */
	const char *target;	 /* the kernel function or tracepoint */
	const char *variant;	 /* fentry, fexit, tp_btf */
	const char *why;	 /* the fact it tells */
	bool rare;		 /* nothing in the self-test makes it fire */
	bool attached;
	bool no_address;       /* in BTF, but the kernel has no symbol of that name */
	enum hook_fired fired; /* while tracer_watch_hooks() was on */
	__u64 missed; /* runs that the kernel skipped: the program was running on that CPU */
	/* Since tracer_count_runs(), for --overhead: */
	__u64 runs;
	__u64 run_ns;
	__u64 skipped; /* of @missed */
};

#define MAX_HOOKS 40

/* It is attached, the self-test should have fired it, and it did not. */
static inline bool hook_is_silent(const struct hook_state *h)
{
	return h->attached && h->fired == FIRED_NEVER && !h->rare;
}

enum self_test_result {
	SELF_TEST_NOT_RUN,
	SELF_TEST_PASSED,
	SELF_TEST_FAILED,
	SELF_TEST_SKIPPED, /* could not run, which says nothing about the plan */
};

struct self_test {
	enum self_test_result result;
	int windows; /* provoked so far */
	__u64 took_ns;
	enum check inferred_check; /* agrees with the kernel's answers; NR_CHECKS: none does */
	char why[160];		   /* what failed or why it was skipped; "" when passed */
};

#endif /* RUN_H */
