/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What the user gets: the same counters as text or as JSON lines. */
#ifndef REPORT_H
#define REPORT_H

#include "counters/run.h"
#include "sys/target.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

/* Everything about a run that is not a counter. */
struct report {
	FILE *out;
	bool json;
	bool timestamp;
	bool overhead; /* with what the programs cost */
	bool claims; /* with the table of the list's arguments */
	const char *plan;	  /* its name */
	const char *exactness;	  /* "exact", or what its error is */
	bool exact;
	bool sees_hugetlb;	  /* windows of hugetlb destinations */
	bool bounds_begin;	  /* how early a begin is at most is measured */
	const char *self_test;	  /* "passed", "failed", "off", or "skipped" */
	const char *kernel_check; /* what the kernel compares: a check's name, "none", or "unknown" */
	struct hook_state hooks[MAX_HOOKS];
	int nr_hooks;
	const char *const *unmeasured;
	enum seq_kind seq;	     /* how this kernel counts write sections */
	bool relock;		     /* counters.relock is measured */
	const struct writer_entry *writers; /* what counters.writers are; NULL: not seen here */
	const struct target *target;	    /* NULL: every process */
	bool in_pid_ns;			    /* pids are those of our pid namespace, which is not the initial one */
	char *const *command;		    /* NULL without one */
};

/* One span of time and what was counted in it. */
struct span {
	const struct counters *counters;
	const struct holder_row *holders; /* of mmap_changing; in the summary only */
	int nr_holders;
	double elapsed_s;
	bool final; /* the summary, not an interval */
};

/* Each prints and flushes. Returns 0, or -1 with errno set (EPIPE: nobody reads any more). */
int report_start(const struct report *r);
int report_span(const struct report *r, const struct span *s);
/* Print an event. Not flushed: report_flush() does that for a batch. */
int report_event(const struct report *r, const struct event *e);
int report_flush(const struct report *r);
int report_self_test(const struct report *r, const struct self_test *t);

/* Write the metrics to a new file at @path, or replace that one. Returns 0, or -1 with errno set and @path untouched. */
int report_openmetrics(const struct report *r, const struct span *s, const char *path);

/* The two formats. */
int text_interval(const struct report *r, const struct span *s);
int text_summary(const struct report *r, const struct span *s);
int json_start(const struct report *r);
int json_span(const struct report *r, const struct span *s);
int json_self_test(const struct report *r, const struct self_test *t);

/* Parts of the summary. The claims (--claims), and what to do about what was seen, which ends the text. */
void text_claims(const struct report *r, const struct counters *c);
void json_claims(struct json_object *o, const struct report *r, const struct counters *c);
/* What the programs cost (--overhead), by the kernel's own counts. */
void text_overhead(const struct report *r, const struct span *s);
void json_overhead(struct json_object *o, const struct report *r, const struct span *s);
void text_advice(const struct report *r, const struct span *s);
void json_advice(struct json_object *o, const struct span *s);

/* json_writer() - a writer without its counts: op, syscall, advice, flags, comm, pid, covers_dst, range. */
struct json_object *json_writer(const struct writer_entry *e);
/* @n in at most eight characters. */
const char *text_count(__u64 n, char *text, size_t size);

/* The buckets of @h that are not empty. */
struct json_object *hist_json(const struct hist *h);

/* Does this run see windows of @kind? What it does not see is null in JSON, and not in the text. */
bool report_sees(const struct report *r, enum dst_kind kind);

/* Can a window of @class be told from others, and @check be evaluated, on this kernel? What cannot is null in JSON. */
bool report_tells_class(const struct report *r, enum window_class class);
bool report_tells_check(const struct report *r, enum check check);

/* @from in at most @size bytes; what a terminal could act on becomes '?'. */
void printable(char *text, size_t size, const char *from);

/* "PID 4242", "PIDs 1, 2", "every process", or the command, in at most @size bytes; unprintable bytes become '?'. */
void target_text(const struct report *r, char *text, size_t size);

#endif /* REPORT_H */
