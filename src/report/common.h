/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What all parts of the report share: the run, the span, and what this kernel can tell. */
#ifndef REPORT_COMMON_H
#define REPORT_COMMON_H

#include "counters/by.h"
#include "counters/run.h"
#include "counters/stacks.h"
#include "sys/cgroup_names.h"
#include "sys/target.h"
#include "sys/uffd_list.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* Everything about a run that is not a counter. */
struct report {
	FILE *out;
	bool json;
	bool timestamp;
	int columns;	       /* of the terminal that it is; 0: it is none */
	bool verbose;	       /* the whole report, not only what has something to say */
	bool overhead;	       /* --overhead */
	bool claims;	       /* --claims */
	enum by by;	       /* --by */
	bool top;	       /* --top */
	bool on_terminal;      /* @out is one: @terminal */
	int terminal;	       /* its descriptor */
	double interval_s;     /* INTERVAL */
	const char *plan;      /* its name */
	const char *exactness; /* "exact", or the plan's error */
	bool exact;
	bool sees_hugetlb;	  /* windows of hugetlb destinations */
	bool bounds_begin;	  /* the plan bounds how early a begin is */
	const char *self_test;	  /* "passed", "failed", "off", or "skipped" */
	const char *kernel_check; /* a check's name, "none", or "unknown" */
	struct hook_state hooks[MAX_HOOKS];
	int nr_hooks;
	const char *const *unmeasured;
	enum seq_kind seq;		    /* how this kernel counts write sections */
	bool relock;			    /* counters.relock is measured */
	const struct writer_entry *writers; /* of counters.writers; NULL: not measured */
	const struct target *target;	    /* NULL: every process */
	struct by_list *by_list;	    /* room for it; NULL without --by */
	const struct cgroup_names *cgroups; /* --by cgroup */
	const struct uffd_list *owners;	    /* when the run began; NULL: not looked for */
	bool in_pid_ns;	      /* pids are those of our pid namespace, not of the initial one */
	char *const *command; /* NULL without one */
	const char *kernel;   /* of a saved record; NULL: the one that runs */
	time_t time;	      /* of a saved record; 0: now */
};

/* A span of time and what was counted in it. */
struct span {
	const struct counters *counters;
	const struct holder_row *holders; /* of mmap_changing; in the summary only */
	int nr_holders;
	const struct by_table *by;	/* the targets at its end; NULL without --by */
	const struct by_table *by_then; /* and at its begin; NULL: the start of the run */
	const struct by_list *by_saved; /* instead of these, of a saved record */
	const struct stacks *stacks;	/* in the summary, with --stacks; else NULL */
	double elapsed_s;
	bool final; /* the summary, not an interval */
};

/* Does this run see windows of @kind? If not, they are null in JSON and absent from the text. */
bool report_sees(const struct report *r, enum dst_kind kind);

/* Can this kernel tell windows of @class, or evaluate @check? If not, they are null in JSON. */
bool report_tells_class(const struct report *r, enum window_class class);
bool report_tells_check(const struct report *r, enum check check);

/* Bytes copied as pages of the kernel's size, or of the one that the record's kernel had. */
__u64 pages_of(__u64 bytes);
__u64 page_size(void);
void set_page_size(__u64 size);

/* "PID 4242", "PIDs 1, 2", "every process", or the command: printable, at most @size bytes. */
void target_text(const struct report *r, char *text, size_t size);

/* Copy a task's name, which may have no NUL. */
void copy_comm(const char from[COMM_LEN], char to[COMM_LEN + 1]);

/* The buckets of @h that are not empty. */
struct json_object *hist_json(const struct hist *h);

/* Flush the report. Returns 0, or -1 with errno set. */
int report_flush(const struct report *r);

#endif /* REPORT_COMMON_H */
