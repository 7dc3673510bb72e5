/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The hooks, one row each, and the probe plans: the sets of hooks that see a window on some kernel.
 */
#ifndef HOOK_TABLE_H
#define HOOK_TABLE_H

#include "counters/run.h"
#include "trace/kernel.h"

#include <stdbool.h>

/* What a hook is to its plan and to the tracer. */
enum hook_role {
	ROLE_REQUIRED = 1 << 0,	    /* the plan is worthless without it */
	ROLE_RARE = 1 << 1,	    /* nothing in the self-test makes it fire */
	ROLE_BOUNDS_BEGIN = 1 << 2, /* tells how early a begin is at most */
	ROLE_HUGETLB = 1 << 3,	    /* without it no window of a hugetlb destination is seen */
	ROLE_WRITERS = 1 << 4,	    /* sees who takes mmap_lock for writing */
	ROLE_ONLY_WRITERS = 1 << 5, /* serves no other purpose: off with --no-writers */
	ROLE_WITNESS = 1 << 6,	    /* second witness of VMA write locks: only with --witness */
	ROLE_RELOCK = 1 << 7,	    /* relock latency: only with --relock */
	ROLE_CHILDREN = 1 << 8,	    /* follows a target's children: only with COMMAND */
	ROLE_ANSWER = 1 << 9, /* the kernel's own answer, which follows from others where there
				       are probes: there only with --witness */
	ROLE_UNLESS_PROBES = 1 << 10, /* a row with a probe serves better */
	ROLE_PASSES = 1 << 11,	      /* sees the kernel's tests after the relock pass */
	ROLE_PAGES = 1 << 12,	      /* sees the end of each page */
	ROLE_HOLDS = 1 << 13,	      /* sees write sections end: only with --relock */
	ROLE_EXITS = 1 << 14,	      /* sees targets exit: only with COMMAND and -p */
};

/* A BPF program and the kernel function or tracepoint that it is attached to. */
struct hook {
	const char *program;  /* <target>[_<entry|exit|probe>][__<suffix>] */
	const char *variant;  /* fentry, fexit, tp_btf, kprobe.multi */
	const char *target;   /* the kernel function or tracepoint */
	__u32 plans;	      /* the struct plan.bit of each plan that has it; BESIDE_PLANS */
	__u32 roles;	      /* of enum hook_role */
	const char *why;      /* the fact it tells */
	const char *unless;   /* not where the kernel has this function, which serves better */
	const char *never;    /* nor where it has this one: there @target has other arguments */
	enum skip_cost costs; /* what is missing where the kernel skipped a run */
	int args;	      /* of a target whose arguments differ between kernels; 0: any */
};

/* In no plan, but attached beside each. */
#define BESIDE_PLANS (1U << 31)

/* In the order of the attach. Ends with a NULL target. */
extern const struct hook hook_table[];

struct plan {
	const char *name;
	const char *exactness; /* "exact", or what its error is */
	bool exact;
	__u32 bit;
};

/* Best first. Ends with a NULL name. */
extern const struct plan plans[];

/* The plan of that name, or NULL. */
const struct plan *plan_by_name(const char *name);

static inline bool plan_has(const struct plan *p, const struct hook *h)
{
	return h->plans & p->bit;
}

/* All required hooks of @p are in BTF. */
bool plan_possible(const struct kernel *k, const struct plan *p);

/*
 * The required targets that this kernel's BTF lacks, as "a, b, c", in @text. Returns how many they
 * are.
 */
unsigned int plan_missing(const struct kernel *k, const struct plan *p, char *text,
			  unsigned int size);

/* The plan that lacks the fewest targets; of several the best. */
const struct plan *plan_nearest(const struct kernel *k);

/* The first possible plan at or after @from, or NULL. */
const struct plan *plan_next(const struct kernel *k, const struct plan *from);

/* Can @h be attached? Its function may still be inlined at the call that matters. */
bool hook_in_btf(const struct kernel *k, const struct hook *h);

/*
 * Does another row serve in place of @h: a better function, a probe, another form of the
 * tracepoint?
 */
bool hook_replaced(const struct kernel *k, const struct hook *h);

bool hook_is_tracepoint(const struct hook *h);

/* An entry that the kernel never skips because a task was preempted in it: kprobe.multi. */
bool hook_is_probe(const struct hook *h);

#endif /* HOOK_TABLE_H */
