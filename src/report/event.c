// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* One record a window (--events): see event.h. */
#include "report/event.h"
#include "counters/counters.h"
#include "counters/writers.h"
#include "report/format.h"
#include "report/sections/writers.h"
#include "sys/json_lines.h"
#include "sys/time_ns.h"

#include <string.h>
#include <time.h>

static __u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
}

/* The begin of the window since the epoch, by the present setting of the clock. */
static __u64 begin_epoch_ns(const struct event *e)
{
	const __u64 hosts = clock_ns(CLOCK_MONOTONIC) - (__u64)time_ns_offset();

	return clock_ns(CLOCK_REALTIME) - (hosts - e->begin_ns);
}

static void add_id(struct json_object *o, const char *key, __u64 id)
{
	if (id)
		add_u64(o, key, id);
	else
		add_null(o, key);
}

static void add_set(struct json_object *o, const char *key, const char *const *names, __u32 set,
		    int nr)
{
	struct json_object *array = json_array();

	for (int i = 0; i < nr; i++)
		if (set & (1U << i))
			json_append(array, json_text(names[i]));
	add_value(o, key, array);
}

static void add_reasons(struct json_object *o, const struct verdict *v)
{
	add_set(o, "snapshot_reasons", snapshot_reason_names, v->snapshot_reasons,
		NR_SNAPSHOT_REASONS);
	add_set(o, "meaning_reasons", meaning_reason_names, v->meaning_reasons, NR_MEANING_REASONS);
	add_set(o, "tolerated_reasons", tolerated_reason_names, v->tolerated_reasons,
		NR_TOLERATED_REASONS);
}

/* "pass", "EAGAIN", or null for a check that decided nothing or is not on this kernel. */
static void add_checks(struct json_object *o, const struct report *r, const struct verdict *v)
{
	struct json_object *checks = add_object(o, "checks");

	for (enum check i = 0; i < NR_CHECKS; i++) {
		bool decided = v->reached & (1U << i) && report_tells_check(r, i);

		add_str(checks, check_names[i],
			!decided		? NULL
			: v->eagain & (1U << i) ? "EAGAIN"
						: "pass");
	}
}

/* The first writers of the mm in the window and their number; null when not measured. */
static void add_writers(struct json_object *o, const struct report *r, const struct event *e)
{
	struct json_object *list = r->writers ? json_array() : NULL;

	for (int i = 0; list && i < e->writers.nr && i < WRITERS_A_WINDOW; i++)
		if (e->writers.ids[i] < MAX_WRITERS && r->writers[e->writers.ids[i]].used)
			json_append(list, json_writer(&r->writers[e->writers.ids[i]]));
	add_value(o, "writers", list);
	if (list)
		add_u64(o, "nr_writers", e->writers.nr);
	else
		add_null(o, "nr_writers");
}

int json_event(const struct report *r, const struct event *e)
{
	struct json_object *o = json_new();
	char comm[COMM_LEN + 1];

	copy_comm(e->comm, comm);
	add_str(o, "type", "event");
	add_u64(o, "schema", JSON_SCHEMA);
	add_double(o, "time", (double)begin_epoch_ns(e) / 1e9);
	add_id(o, "pid", e->pid);
	add_id(o, "tid", e->tid);
	add_str(o, "comm", comm);
	add_id(o, "dst", e->dst);
	add_str(o, "kind", e->kind < NR_KINDS ? kind_names[e->kind] : NULL);
	add_str(o, "class", e->verdict.class < NR_CLASSES ? class_names[e->verdict.class] : NULL);
	add_reasons(o, &e->verdict);
	add_checks(o, r, &e->verdict);
	add_u64(o, "window_ns", e->window_ns);
	add_id(o, "retake_ns", e->relock_ns);
	add_bool(o, "external", e->external);
	if (r->seq == SEQ_COUNT)
		add_bool(o, "odd_start", e->verdict.odd_start);
	else
		add_null(o, "odd_start");
	add_bool(o, "anomaly", e->verdict.anomaly);
	add_writers(o, r, e);
	return json_put_line(r->out, o);
}

/* Print " TITLE a,b" for the names of @set, nothing for an empty one. */
static void print_set(FILE *out, const char *title, const char *const *names, __u32 set, int nr)
{
	const char *before = " ";

	if (!set)
		return;
	fprintf(out, " %s", title);
	for (int i = 0; i < nr; i++) {
		if (!(set & (1U << i)))
			continue;
		fprintf(out, "%s%s", before, names[i]);
		before = ",";
	}
}

/* The checks that would fail this window, of those that can be evaluated on this kernel. */
static __u32 eagain_by(const struct report *r, const struct verdict *v)
{
	__u32 set = v->reached & v->eagain;

	for (enum check i = 0; i < NR_CHECKS; i++)
		if (!report_tells_check(r, i))
			set &= ~(1U << i);
	return set;
}

/* Print " writers: mprotect,munmap,2 more". */
static void print_writers(const struct report *r, const struct event *e)
{
	struct writer_text text;
	int named = 0;

	if (!r->writers || !e->writers.nr)
		return;
	fprintf(r->out, " writers:");
	for (int i = 0; i < e->writers.nr && i < WRITERS_A_WINDOW; i++) {
		if (e->writers.ids[i] >= MAX_WRITERS || !r->writers[e->writers.ids[i]].used)
			continue;
		writer_describe(&r->writers[e->writers.ids[i]].key, &text);
		fprintf(r->out, "%s%s", named++ ? "," : " ", text.op);
	}
	if (named < e->writers.nr)
		fprintf(r->out, "%s%d more", named ? "," : " ", e->writers.nr - named);
}

/* The head is repeated every 20 lines, because the screen scrolls. */
static void print_head(const struct report *r)
{
	static unsigned int lines;

	if (lines++ % 20 == 0)
		fprintf(r->out, "%-15s %7s %-15s %-7s %-12s %14s %10s %10s\n", "begin", "tid",
			"comm", "kind", "class", "destination", "window/us", "relock/us");
}

static void print_time_of(FILE *out, __u64 epoch_ns)
{
	time_t seconds = (time_t)(epoch_ns / 1000000000);
	char clock[16] = "";

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&seconds));
	fprintf(out, "%s.%06llu ", clock, epoch_ns % 1000000000 / 1000);
}

/* One line, wider than a terminal. The name of a task is untrusted. */
int text_event(const struct report *r, const struct event *e)
{
	const struct verdict *v = &e->verdict;
	__u32 eagain = eagain_by(r, v);
	char name[COMM_LEN + 1], comm[COMM_LEN + 1];

	copy_comm(e->comm, name);
	printable(comm, sizeof(comm), name);
	print_head(r);
	print_time_of(r->out, begin_epoch_ns(e));
	fprintf(r->out, "%7u %-15s %-7s %-12s %#14llx %10.1f", e->tid, comm,
		e->kind < NR_KINDS ? kind_names[e->kind] : "-",
		v->class < NR_CLASSES ? class_names[v->class] : "-", e->dst,
		(double)e->window_ns / 1e3);
	if (e->relock_ns)
		fprintf(r->out, " %10.1f", (double)e->relock_ns / 1e3);
	else
		fprintf(r->out, " %10s", "-");
	print_set(r->out, "would fail:", check_names, eagain & ~(1U << CHECK_KERNEL), NR_CHECKS);
	if (eagain & (1U << CHECK_KERNEL))
		fputs(" kernel: failed", r->out);
	print_set(r->out, "snapshot:", snapshot_reason_names, v->snapshot_reasons,
		  NR_SNAPSHOT_REASONS);
	print_set(r->out, "meaning:", meaning_reason_names, v->meaning_reasons, NR_MEANING_REASONS);
	print_set(r->out, "tolerated:", tolerated_reason_names, v->tolerated_reasons,
		  NR_TOLERATED_REASONS);
	print_writers(r, e);
	if (e->external)
		fputs(" external", r->out);
	return fputc('\n', r->out) == EOF ? -1 : 0;
}
