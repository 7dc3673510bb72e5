// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Records of --events: see event.h. Here what all have in common, and windows. */
#include "report/event.h"
#include "report/event_other.h"
#include "counters/counters.h"
#include "counters/writers.h"
#include "report/format.h"
#include "report/sections/writers.h"
#include "sys/json_lines.h"
#include "sys/time_ns.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

static __u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
}

/*
 * The time of @e since the epoch, by the present setting of the clock. Two clocks are never read at
 * once: of a few tries the one counts that took least time, or events would seem out of order.
 */
static __u64 begin_epoch_ns(const struct event *e)
{
	__u64 shortest = ~0ULL, epoch = 0;

	for (int i = 0; i < 4 && shortest > 2000; i++) {
		const __u64 then = clock_ns(CLOCK_MONOTONIC), real = clock_ns(CLOCK_REALTIME),
			    took = clock_ns(CLOCK_MONOTONIC) - then;

		if (took >= shortest)
			continue;
		shortest = took;
		epoch = real - (then - (__u64)time_ns_offset() - e->begin_ns);
	}
	return epoch;
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

/* A writer, without a range: its row has only the one of its last section. */
static struct json_object *writer(const struct writer_entry *e)
{
	struct json_object *o = json_writer(e);

	add_null(o, "range");
	return o;
}

/* The first writers of the mm in the window and their number; null when not measured. */
static void add_writers(struct json_object *o, const struct report *r, const struct event *e)
{
	struct json_object *list = r->writers ? json_array() : NULL;

	for (int i = 0; list && i < e->writers.nr && i < WRITERS_A_WINDOW; i++)
		if (e->writers.ids[i] < MAX_WRITERS && r->writers[e->writers.ids[i]].used)
			json_append(list, writer(&r->writers[e->writers.ids[i]]));
	add_value(o, "writers", list);
	if (list)
		add_u64(o, "nr_writers", e->writers.nr);
	else
		add_null(o, "nr_writers");
}

static void add_window(struct json_object *o, const struct report *r, const struct event *e)
{
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
}

void json_event_members(struct json_object *o, const struct report *r, const struct event *e)
{
	if (e->what == EVENT_WINDOW)
		add_window(o, r, e);
	else if (e->what == EVENT_FAILED_COPY)
		json_failed_copy(o, &e->failed, e->dst);
	else
		json_changed(o, e);
}

int json_event(const struct report *r, const struct event *e)
{
	struct json_object *o = json_new();
	char comm[COMM_LEN + 1];

	copy_comm(e->comm, comm);
	add_str(o, "type", "event");
	add_u64(o, "schema", JSON_SCHEMA);
	add_str(o, "event", e->what < NR_EVENT_KINDS ? event_kind_names[e->what] : NULL);
	add_double(o, "time", (double)begin_epoch_ns(e) / 1e9);
	add_id(o, "pid", e->pid);
	add_id(o, "tid", e->tid);
	add_str(o, "comm", comm);
	json_event_members(o, r, e);
	return json_put_line(r->out, o);
}

void line_say(struct event_line *l, const char *format, ...)
{
	size_t used = strlen(l->details);
	va_list args;

	va_start(args, format);
	vsnprintf(l->details + used, sizeof(l->details) - used, format, args);
	va_end(args);
}

/* Say " TITLE a,b" for the names of @set, nothing for an empty one. */
static void say_set(struct event_line *l, const char *title, const char *const *names, __u32 set,
		    int nr)
{
	const char *before = " ";

	if (!set)
		return;
	line_say(l, " %s", title);
	for (int i = 0; i < nr; i++) {
		if (!(set & (1U << i)))
			continue;
		line_say(l, "%s%s", before, names[i]);
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

/* Say " writers: mprotect,munmap,2 more". */
static void say_writers(struct event_line *l, const struct report *r, const struct event *e)
{
	struct writer_text text;
	int named = 0;

	if (!r->writers || !e->writers.nr)
		return;
	line_say(l, " writers:");
	for (int i = 0; i < e->writers.nr && i < WRITERS_A_WINDOW; i++) {
		if (e->writers.ids[i] >= MAX_WRITERS || !r->writers[e->writers.ids[i]].used)
			continue;
		writer_describe(&r->writers[e->writers.ids[i]].key, &text);
		line_say(l, "%s%s", named++ ? "," : " ", text.op);
	}
	if (named < e->writers.nr)
		line_say(l, "%s%d more", named ? "," : " ", e->writers.nr - named);
}

static void say_window(struct event_line *l, const struct report *r, const struct event *e)
{
	const struct verdict *v = &e->verdict;
	__u32 eagain = eagain_by(r, v);

	l->kind = e->kind < NR_KINDS ? kind_names[e->kind] : "-";
	l->class = v->class < NR_CLASSES ? class_names[v->class] : "-";
	l->has_took = true;
	l->took_ns = e->window_ns;
	l->relock_ns = e->relock_ns;
	say_set(l, "would fail:", check_names, eagain & ~(1U << CHECK_KERNEL), NR_CHECKS);
	if (eagain & (1U << CHECK_KERNEL))
		line_say(l, " kernel: failed");
	say_set(l, "snapshot:", snapshot_reason_names, v->snapshot_reasons, NR_SNAPSHOT_REASONS);
	say_set(l, "meaning:", meaning_reason_names, v->meaning_reasons, NR_MEANING_REASONS);
	say_set(l, "tolerated:", tolerated_reason_names, v->tolerated_reasons,
		NR_TOLERATED_REASONS);
	say_writers(l, r, e);
	if (e->external)
		line_say(l, " external");
}

/* A terminal with fewer columns gets a shorter line, without the relock. */
#define WIDE 100
/* Where a line goes on. */
#define INDENT 8

static bool is_narrow(const struct report *r)
{
	return r->columns && r->columns < WIDE;
}

/* The head is repeated every 20 events, because the screen scrolls. */
static void print_head(const struct report *r)
{
	static unsigned int lines;

	if (lines++ % 20)
		return;
	if (is_narrow(r))
		fprintf(r->out, "%-15s %7s %-12s %-7s %-12s %14s %6s\n", "time", "tid", "comm",
			"kind", "class", "destination", "took");
	else
		fprintf(r->out, "%-15s %7s %-15s %-7s %-12s %14s %10s %10s\n", "time", "tid",
			"comm", "kind", "class", "destination", "took/us", "relock/us");
}

static void print_time_of(FILE *out, __u64 epoch_ns)
{
	time_t seconds = (time_t)(epoch_ns / 1000000000);
	char clock[16] = "";

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&seconds));
	fprintf(out, "%s.%06llu ", clock, epoch_ns % 1000000000 / 1000);
}

/* @ns in microseconds, "-" if it is not @known. */
static const char *microseconds(bool known, __u64 ns, char text[24])
{
	if (!known)
		return "-";
	snprintf(text, 24, "%.1f", (double)ns / 1e3);
	return text;
}

/* Print the columns of @l, and return the next one. The name of a task is untrusted. */
static int print_columns(const struct report *r, const struct event *e, const struct event_line *l)
{
	char name[COMM_LEN + 1], comm[COMM_LEN + 1], dst[24] = "-", took[24], relock[24];
	int width = is_narrow(r) ? 12 : 15, column;

	copy_comm(e->comm, name);
	printable(comm, sizeof(comm), name);
	print_time_of(r->out, begin_epoch_ns(e));
	if (e->dst)
		snprintf(dst, sizeof(dst), "%#llx", e->dst);
	/* A call can ask for any address: a longer one takes its place from the name. */
	if (strlen(dst) > 14)
		width -= (int)strlen(dst) - 14;
	column = 16 + fprintf(r->out, "%7u %-*.*s %-7s %-12s %14s", e->tid, width,
			      r->columns ? width : COMM_LEN, comm, l->kind, l->class, dst);
	if (is_narrow(r))
		return column + fprintf(r->out, " %6s", l->has_took ? DURATION(l->took_ns) : "-");
	return column + fprintf(r->out, " %10s %10s", microseconds(l->has_took, l->took_ns, took),
				microseconds(l->relock_ns, l->relock_ns, relock));
}

/* Continue at @column; on a terminal of @width columns (0: none) with further lines. */
static void print_details(FILE *out, const char *text, int column, int width)
{
	while (*text) {
		int len = *text == ' ';

		len += (int)strcspn(text + len, " ,");
		len += text[len] == ',';
		if (width && column + len > width) {
			text += *text == ' ';
			len = (int)strcspn(text, " ,");
			len += text[len] == ',';
			column = INDENT;
			fprintf(out, "\n%*s", INDENT, "");
		}
		column += fprintf(out, "%.*s", len, text);
		text += len;
	}
}

int text_event(const struct report *r, const struct event *e)
{
	struct event_line l = { .kind = "-" };
	int column;

	if (e->what == EVENT_WINDOW)
		say_window(&l, r, e);
	else if (e->what == EVENT_FAILED_COPY)
		say_failed_copy(&l, &e->failed);
	else
		say_changed(&l, e);
	print_head(r);
	column = print_columns(r, e, &l);
	print_details(r->out, l.details, column,
		      r->columns && r->columns < COLUMNS ? COLUMNS : r->columns);
	return fputc('\n', r->out) == EOF ? -1 : 0;
}
