// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The table of targets: see targets.h. */
#include "report/sections/targets.h"
#include "counters/counters.h"
#include "report/format.h"
#include "sys/json_lines.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

/* Lines of the table where no terminal says how many it has. */
#define LINES_SHOWN 20
/* Of a screen: the time, the head, the others, and where the cursor is. */
#define LINES_BESIDE 4
#define NAME_WIDTH 35

static const struct by_list *list_of(const struct report *r, const struct span *s, int max)
{
	if (s->by) {
		by_list_make(r->by_list, s->by, s->by_then, max);
	} else {
		*r->by_list = *s->by_saved;
		by_list_cut(r->by_list, max);
	}
	return r->by_list;
}

static bool is_gone(const struct by_row *row)
{
	return !row->key.id;
}

/* A long path ends in what tells it from others. */
static void cgroup_text(const struct report *r, const struct by_row *row, char text[NAME_WIDTH + 1])
{
	const char *path = cgroup_path(r->cgroups, row->key.id);
	size_t length = path ? strlen(path) : 0;

	if (!path)
		snprintf(text, NAME_WIDTH + 1, "cgroup %llu", row->key.id);
	else if (length <= NAME_WIDTH)
		printable(text, NAME_WIDTH + 1, path);
	else {
		printable(text, NAME_WIDTH + 1, "...");
		append_printable(text, NAME_WIDTH + 1, path + length - (NAME_WIDTH - 3));
	}
}

static void process_text(const struct by_row *row, char text[NAME_WIDTH + 1])
{
	char raw[COMM_LEN + 1], comm[COMM_LEN + 1], pid[16] = "-";

	copy_comm(row->comm, raw);
	printable(comm, sizeof(comm), raw);
	if (row->pid)
		snprintf(pid, sizeof(pid), "%u", row->pid);
	snprintf(text, NAME_WIDTH + 1, "%-24s %10.10s", comm, pid);
}

static void print_line(const struct report *r, const char *name, const struct by_line *line)
{
	fprintf(r->out, "%-35s %8s %8s %8s %8s %7s\n", name, N(line->calls), N(line->eagain),
		N(line->windows), report_tells_check(r, CHECK_PER_MM_SEQ) ? N(line->needless) : "-",
		line->p99_ns ? DURATION(line->p99_ns) : "-");
}

static void print_target(const struct report *r, const struct by_line *line)
{
	char name[NAME_WIDTH + 1];

	if (is_gone(line->who))
		snprintf(name, sizeof(name), "(gone before the copy)");
	else if (r->by == BY_CGROUP)
		cgroup_text(r, line->who, name);
	else
		process_text(line->who, name);
	print_line(r, name, line);
}

static void print_targets(const struct report *r, const struct by_list *l)
{
	char name[NAME_WIDTH + 1];

	if (r->by == BY_CGROUP)
		snprintf(name, sizeof(name), "cgroup of the memory's owner");
	else
		snprintf(name, sizeof(name), "%-24s %10s", "owner of the memory", "pid");
	fprintf(r->out, "%-35s %8s %8s %8s %8s %7s\n", name, "copies", "EAGAIN", "windows",
		"needless", "p99");
	for (int i = 0; i < l->nr; i++)
		print_target(r, &l->lines[i]);
	snprintf(name, sizeof(name), l->others ? "%d others" : "others", l->others);
	if (l->others || l->other.calls || l->other.windows)
		print_line(r, name, &l->other);
}

void text_targets(const struct report *r, const struct span *s)
{
	const struct by_list *l;

	if (!s->by && !s->by_saved)
		return;
	l = list_of(r, s, r->verbose ? BY_SHOWN : LINES_SHOWN);
	if (!l->nr && !l->other.calls && !l->other.windows)
		return;
	fputc('\n', r->out);
	print_targets(r, l);
}

static int lines_of_screen(const struct report *r)
{
	struct winsize w = {};

	if (!r->on_terminal || ioctl(r->terminal, TIOCGWINSZ, &w) || !w.ws_row)
		return LINES_SHOWN;
	return w.ws_row > LINES_BESIDE ? w.ws_row - LINES_BESIDE : 1;
}

int text_top(const struct report *r, const struct span *s)
{
	const struct totals *t = &s->counters->totals;
	time_t now = time(NULL);
	char text[32] = "";

	strftime(text, sizeof(text), "%H:%M:%S", localtime(&now));
	fprintf(r->out, "%s%s, %.1f s: %s copies, %s EAGAIN, %s windows\n",
		r->on_terminal ? "\033[H\033[J" : "", text, s->elapsed_s, N(t->calls),
		N(t->returned[EAGAIN]), N(windows_total(t)));
	print_targets(r, list_of(r, s, lines_of_screen(r)));
	if (!r->on_terminal)
		fputc('\n', r->out);
	return report_flush(r);
}

static void add_counts(struct json_object *o, const struct report *r, const struct by_line *line)
{
	add_u64(o, "calls", line->calls);
	add_u64(o, "eagain", line->eagain);
	add_u64(o, "windows", line->windows);
	if (report_tells_check(r, CHECK_PER_MM_SEQ))
		add_u64(o, "needless", line->needless);
	else
		add_null(o, "needless");
	if (line->p99_ns)
		add_u64(o, "p99_ns", line->p99_ns);
	else
		add_null(o, "p99_ns");
}

static struct json_object *target_json(const struct report *r, const struct by_line *line)
{
	const struct by_row *row = line->who;
	struct json_object *o = json_new();
	char comm[COMM_LEN + 1];

	if (r->by == BY_CGROUP) {
		add_str(o, "cgroup", cgroup_path(r->cgroups, row->key.id));
		if (is_gone(row))
			add_null(o, "cgroup_id");
		else
			add_u64(o, "cgroup_id", row->key.id);
	} else {
		copy_comm(row->comm, comm);
		add_str(o, "comm", is_gone(row) ? NULL : comm);
		if (row->pid)
			add_u64(o, "pid", row->pid);
		else
			add_null(o, "pid");
	}
	add_counts(o, r, line);
	return o;
}

void json_targets(struct json_object *o, const struct report *r, const struct span *s)
{
	struct json_object *list, *other;
	const struct by_list *l;

	if (!s->by && !s->by_saved)
		return;
	l = list_of(r, s, BY_SHOWN);
	list = json_array();
	for (int i = 0; i < l->nr; i++)
		json_append(list, target_json(r, &l->lines[i]));
	add_value(o, "targets", list);
	other = add_object(o, "targets_other");
	add_u64(other, "targets", (__u64)l->others);
	add_counts(other, r, &l->other);
}
