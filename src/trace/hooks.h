/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Probe plans: which programs see a window on this kernel, what each needs, and what is lost without it.
 *
 * With compat.bpf.h the only place that knows that kernels differ. It asks BTF, never the version.
 */
#ifndef PLAN_H
#define PLAN_H

#include "uffdretry.h"

#include <stdbool.h>

struct btf;

/* What a hook is only for, if the user can leave it out. */
enum hook_use {
	USE_ALWAYS,
	USE_WRITERS, /* not with --no-writers */
	USE_WITNESS, /* with --witness */
};

/* A BPF program and the kernel function (or tracepoint) it sits on. */
struct hook {
	const char *program; /* its name in the BPF object */
	const char *variant; /* fentry, fexit, tp_btf */
	const char *target;  /* the kernel function or tracepoint */
	bool required;	     /* the plan is worthless without it */
	const char *why;     /* the fact it buys */
	const char *unless;  /* not where the kernel has this function, which serves better */
	bool bounds_begin;   /* tells how early a begin is at most */
	int args;	     /* of a tracepoint whose arguments differ between kernels; 0: any */
	enum hook_use use;
	bool rare;	     /* nothing in the self-test makes it fire */
};

struct plan {
	const char *name;
	const char *exactness; /* "exact", or what its error is */
	bool exact;
	const struct hook *const *hooks; /* NULL-terminated */
	const struct hook *hugetlb;	 /* without it no window of a hugetlb destination is seen */
};

#define MAX_UNMEASURED 15

/* What this kernel is, as far as plans depend on it. */
struct kernel {
	struct btf *btf;
	__u64 uffd_mask;	    /* vm_flags bits that are userfaultfd modes */
	enum seq_kind seq;
	bool has_uffd;		    /* CONFIG_USERFAULTFD */
	bool has_check;		    /* it compares something after the retry, 7.1 and later */
	struct unmap_desc_layout unmap_desc; /* what unmap_vmas() takes, 7.0 and later */
	const char *unmeasured[MAX_UNMEASURED + 1]; /* what this kernel or version cannot tell; NULL-terminated */
};

/* Beside every plan: who holds mmap_changing; NULL-terminated. */
extern const struct hook *const event_hooks[];

/* With --relock, beside every plan; NULL-terminated. */
extern const struct hook *const relock_hooks[];

extern const struct plan *const plans[]; /* best first, NULL-terminated */

/* note_unmeasured() - @what will not be told, for the user left it out. */
void note_unmeasured(struct kernel *k, const char *what);

/* kernel_open() - read the running kernel's BTF. Returns 0 or a negative errno. */
int kernel_open(struct kernel *k);
void kernel_close(struct kernel *k);

/* Is the hook's target in BTF? Presence is necessary, not sufficient: a function may be inlined at the call that
 * matters. */
bool hook_in_btf(const struct kernel *k, const struct hook *h);

/* Does another hook of the plan stand in for @h here: on a function that serves better, or on the tracepoint as it is? */
bool hook_replaced(const struct kernel *k, const struct hook *h);

/* The BTF id of a hook's function, or a negative errno. */
int hook_btf_id(const struct kernel *k, const struct hook *h);

/* All required hooks of @p are in BTF. */
bool plan_possible(const struct kernel *k, const struct plan *p);

/* The required targets that this kernel's BTF lacks, as "a, b, c", in @text. */
void plan_missing(const struct kernel *k, const struct plan *p, char *text, unsigned int size);

const struct plan *plan_by_name(const char *name);

/* The first possible plan at or after @from (NULL: from the best), or NULL. */
const struct plan *plan_next(const struct kernel *k, const struct plan *from);

#endif /* PLAN_H */
