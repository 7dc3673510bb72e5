// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Who held mmap_lock for write in windows: see writers.h. */
#include "report/sections/writers.h"
#include "counters/writers.h"
#include "report/format.h"
#include "sys/json_lines.h"

#define TOP_WRITERS 8

static void print_writer(const struct report *r, const struct writer_entry *e,
			 const struct writer_counts *counts)
{
	struct writer_text text;
	char all[192], what[31], comm[16];

	writer_words(e, &text);
	snprintf(all, sizeof(all), "%s%s%s%s", text.op, text.advice[0] || text.flags[0] ? " " : "",
		 text.advice, text.flags);
	printable(what, sizeof(what), all);
	printable(comm, sizeof(comm), text.comm);
	fprintf(r->out, "%-30s %-15s %10u %-6s %7s %6s\n", what, comm, e->key.tgid,
		e->key.covers ? "dst" : "", COUNT_IN(counts->windows, 6),
		COUNT_IN(counts->sections, 6));
}

void text_writers(const struct report *r, const struct counters *c)
{
	const struct writer_totals *t = &c->totals.writers;
	int ids[MAX_WRITERS], nr;

	if (!r->writers || !t->windows)
		return;
	nr = writers_sort(c->writers, r->writers, ids);
	fprintf(r->out, "\n%-30s %-15s %10s %-6s %7s %6s\n", "writers of the mm in windows", "comm",
		"pid", "covers", "windows", "locks");
	for (int i = 0; i < nr && i < TOP_WRITERS; i++)
		print_writer(r, &r->writers[ids[i]], &c->writers[ids[i]]);
	if (nr > TOP_WRITERS)
		fprintf(r->out, "and %d more; -j lists them all\n", nr - TOP_WRITERS);
	fprintf(r->out, "%s write sections in %s windows; by unknown writers: %s\n", N(t->sections),
		N(t->windows), N(t->unseen));
	if (t->other)
		fprintf(r->out, "%s more by writers that do not fit in the list\n", N(t->other));
}

struct json_object *json_writer(const struct writer_entry *e)
{
	struct json_object *o = json_new();
	struct writer_text text;

	writer_words(e, &text);
	add_str(o, "op", text.op);
	add_str(o, "syscall", text.syscall[0] ? text.syscall : NULL);
	add_str(o, "advice", text.advice[0] ? text.advice : NULL);
	add_str(o, "flags", text.flags[0] ? text.flags : NULL);
	add_str(o, "comm", text.comm);
	add_u64(o, "pid", e->key.tgid);
	add_bool(o, "covers_dst", e->key.covers);
	return o;
}

static void add_range(struct json_object *o, const struct writer_entry *e)
{
	struct json_object *range;

	if (e->start == e->end) {
		add_null(o, "range");
		return;
	}
	range = add_object(o, "range");
	add_u64(range, "start", e->start);
	add_u64(range, "end", e->end);
}

static struct json_object *writer_row(const struct writer_entry *e,
				      const struct writer_counts *counts)
{
	struct json_object *o = json_writer(e);

	add_range(o, e);
	add_u64(o, "windows", counts->windows);
	add_u64(o, "sections", counts->sections);
	return o;
}

void json_writers(struct json_object *o, const struct report *r, const struct counters *c)
{
	const struct writer_totals *t = &c->totals.writers;
	struct json_object *list, *sections;
	int ids[MAX_WRITERS], nr;

	if (!r->writers) {
		add_null(o, "writers");
		add_null(o, "write_sections");
		return;
	}
	list = json_array();
	nr = writers_sort(c->writers, r->writers, ids);
	for (int i = 0; i < nr; i++)
		json_append(list, writer_row(&r->writers[ids[i]], &c->writers[ids[i]]));
	add_value(o, "writers", list);
	sections = add_object(o, "write_sections");
	add_u64(sections, "total", t->sections);
	add_u64(sections, "windows", t->windows);
	add_u64(sections, "unseen", t->unseen);
	add_u64(sections, "unseen_windows", t->unseen_windows);
	add_u64(sections, "other", t->other);
}
