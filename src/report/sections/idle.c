// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Nothing happened: see idle.h. */
#include "report/sections/idle.h"
#include "counters/counters.h"
#include "report/format.h"
#include "report/sections/answer.h"
#include "sys/json_lines.h"

bool nothing_happened(const struct counters *c)
{
	__u64 n = c->totals.calls + windows_total(&c->totals) + c->open + c->failures.refused;

	for (int i = 0; i < NR_FILLS; i++) {
		n += c->failures.fills[i].ok + c->failures.fills[i].mmap_changing;
		for (int e = 0; e < NR_FAIL_ERRNOS; e++)
			n += c->failures.fills[i].failed[e];
	}
	return !n;
}

/* As many as fit in three lines. */
#define NAMED 4

static void owners_text(const struct uffd_list *o, char *text, size_t size)
{
	char one[96];

	printable(text, size,
		  o->nr ? "at the start a userfaultfd was open in: "
			: "at the start no process had a userfaultfd open");
	for (int i = 0; i < o->nr && i < NAMED; i++) {
		snprintf(one, sizeof(one), "%s%s (pid %d)", i ? ", " : "", o->processes[i].comm,
			 o->processes[i].pid);
		append_printable(text, size, one);
	}
	if (o->nr > NAMED) {
		snprintf(one, sizeof(one), " and %d more", o->nr - NAMED);
		append_printable(text, size, one);
	}
	if (o->hidden) {
		append_printable(text, size, "; /proc hides others (hidepid)");
	} else if (o->unreadable) {
		snprintf(one, sizeof(one), "; %d processes could not be looked at", o->unreadable);
		append_printable(text, size, one);
	}
}

static const char *what_to_try(const struct report *r)
{
	if (r->command)
		return "is it another process that fills the pages? Trace that: -p PID, or every process: -a";
	if (!r->owners || !r->owners->nr)
		return "start the program that fills pages under the tool (uffdretry -- COMMAND), or trace longer";
	if (r->target)
		return "trace one of these (-p PID), or every process (-a)";
	return "trace longer, while pages are being filled";
}

void text_idle(const struct report *r, const struct span *s)
{
	char owners[ANSWER_LEN];

	answer(r->out, "NOTHING", "happened: no fill ioctl and no retry window in %.1f s",
	       s->elapsed_s);
	if (r->owners) {
		owners_text(r->owners, owners, sizeof(owners));
		answer(r->out, "", "%s", owners);
	}
	answer(r->out, "", "-> %s", what_to_try(r));
}

void json_owners(struct json_object *o, const struct report *r)
{
	struct json_object *owners, *processes;

	if (!r->owners) {
		add_null(o, "owners");
		return;
	}
	owners = add_object(o, "owners");
	processes = json_array();
	for (int i = 0; i < r->owners->nr; i++) {
		struct json_object *one = json_new();

		add_value(one, "pid", json_int(r->owners->processes[i].pid));
		add_str(one, "comm", r->owners->processes[i].comm);
		json_append(processes, one);
	}
	add_value(owners, "processes", processes);
	if (r->owners->hidden)
		add_null(owners, "unreadable");
	else
		add_u64(owners, "unreadable", (__u64)r->owners->unreadable);
}
