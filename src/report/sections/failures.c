// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Causes, and holders of mmap_changing: see failures.h. */
#include "report/sections/failures.h"
#include "counters/counters.h"
#include "counters/syscalls.h"
#include "report/format.h"
#include "sys/json_lines.h"

#include <string.h>

#define HOLDERS_SHOWN 5

static void print_eagain(FILE *out, const struct failures *f)
{
	if (!failures_of_errno(f, FAIL_EAGAIN))
		return;
	fprintf(out, "\nEAGAIN, by cause\n");
	for (int i = 0; i < NR_EAGAIN_CAUSES; i++) {
		__u64 n = failures_of_cause(f, (enum eagain_cause)i);

		if (n)
			fprintf(out, "  %-20s %8s  %s\n", cause_names[i], N(n), cause_meanings[i]);
	}
	for (int i = 0; i < NR_FAIL_ERRNOS; i++)
		if (stops_of_errno(f, (enum fail_errno)i))
			fprintf(out, "    %8s stopped by %s, after %s bytes in total\n",
				N(stops_of_errno(f, (enum fail_errno)i)), fail_errno_names[i],
				N(f->short_bytes[i]));
}

static void print_others(FILE *out, const struct failures *f)
{
	bool head = false;

	for (int i = 0; i < NR_FAIL_ERRNOS; i++)
		for (int site = 0; site < NR_SITES; site++) {
			if (i == FAIL_EAGAIN || !f->failed[i][site] || !site_meanings[site])
				continue;
			if (!head)
				fprintf(out, "\nother failures, by place\n");
			head = true;
			fprintf(out, "  %-20s %8s  %s\n", fail_errno_names[i],
				N(f->failed[i][site]), site_meanings[site]);
		}
}

static void print_fills(FILE *out, const struct failures *f)
{
	for (int i = 0; i < NR_FILLS; i++) {
		const struct fill_totals *t = &f->fills[i];
		__u64 failed = t->mmap_changing;

		for (int e = 0; e < NR_FAIL_ERRNOS; e++)
			failed += t->failed[e];
		if (!failed)
			continue;
		fprintf(out, "\n%s: %s ok", fill_names[i], N(t->ok));
		if (t->mmap_changing)
			fprintf(out, ", %s EAGAIN (mmap_changing)", N(t->mmap_changing));
		for (int e = 0; e < NR_FAIL_ERRNOS; e++)
			if (t->failed[e])
				fprintf(out, ",\n  %s %s", N(t->failed[e]), fail_errno_names[e]);
		fputc('\n', out);
	}
}

__u64 failures_by_event(const struct failures *f)
{
	return failures_of_cause(f, CAUSE_ENTRY_MMAP_CHANGING) +
	       failures_of_cause(f, CAUSE_LOCK_MMAP_CHANGING) +
	       failures_of_cause(f, CAUSE_RELOCK_MMAP_CHANGING);
}

const struct holder_row *worst_holder(const struct span *s)
{
	const struct holder_row *worst = NULL;

	for (int i = 0; i < s->nr_holders; i++)
		if (s->holders[i].totals.refused &&
		    (!worst || s->holders[i].totals.refused > worst->totals.refused))
			worst = &s->holders[i];
	return worst;
}

bool refused_all(const struct holder_row *h, const struct span *s)
{
	const struct failures *f = &s->counters->failures;

	return h->totals.refused + f->refused_stuck >= f->refused;
}

/* The word of @who's enum changing_op. */
static const char *op_name(const struct holder *who)
{
	return changing_op_names[who->op < NR_CHANGING_OPS ? who->op : 0];
}

void holder_call(const struct holder *who, char text[HOLDER_LEN])
{
	const char *call = syscall_name(who->syscall), *advice = advice_name(who->advice);

	snprintf(text, HOLDER_LEN, "%s%s%s%s", call ? call : op_name(who), advice ? "(" : "",
		 advice ? advice : "", advice ? ")" : "");
}

void holder_name(const struct holder *who, char text[HOLDER_LEN])
{
	char name[COMM_LEN + 1], comm[COMM_LEN + 1];
	size_t used;

	copy_comm(who->comm, name);
	printable(comm, sizeof(comm), name);
	holder_call(who, text);
	used = strlen(text);
	snprintf(text + used, HOLDER_LEN - used, " of %s (pid %u)", comm, who->tgid);
}

void holder_text(const struct holder_row *h, char text[HOLDER_LEN])
{
	holder_name(&h->who, text);
}

static void print_holder(FILE *out, const struct holder_row *h)
{
	char who[HOLDER_LEN];

	holder_text(h, who);
	fprintf(out, "  %s:\n    %s times, longest %.3g ms, refused %s\n", who, N(h->totals.raised),
		(double)h->totals.longest_ns / 1e6, N(h->totals.refused));
}

static void print_holders(FILE *out, const struct failures *f, const struct holder_row *holders,
			  int nr)
{
	if (!f->refused)
		return;
	fprintf(out, "\nmmap_changing refused %s calls: read the event queue first. Raised by\n",
		N(f->refused));
	for (int i = 0; i < nr && i < HOLDERS_SHOWN; i++)
		print_holder(out, &holders[i]);
	if (f->refused_unseen)
		fprintf(out, "  an unknown holder: refused %s\n", N(f->refused_unseen));
	if (f->refused_stuck)
		fprintf(out, "  STUCK, no event is pending: refused %s\n", N(f->refused_stuck));
}

/* Does the first screen tell all of the causes? */
static bool causes_are_told(const struct failures *f)
{
	__u64 causes = !!failures_by_event(f);

	for (int i = CAUSE_RELOCK_MMAP_CHANGING + 1; i < NR_EAGAIN_CAUSES; i++)
		causes += !!failures_of_cause(f, (enum eagain_cause)i);
	return causes < 2 && !failures_of_cause(f, CAUSE_SHORT_COPY);
}

static bool holders_are_told(const struct span *s)
{
	const struct holder_row *worst = worst_holder(s);

	return worst && worst->totals.refused >= s->counters->failures.refused;
}

void text_failures(const struct report *r, const struct span *s)
{
	const struct failures *f = &s->counters->failures;

	if (r->verbose || !causes_are_told(f))
		print_eagain(r->out, f);
	print_others(r->out, f);
	print_fills(r->out, f);
	if (r->verbose || !holders_are_told(s))
		print_holders(r->out, f, s->holders, s->nr_holders);
}

/* An object of the counts that are not 0. */
static struct json_object *add_counted(struct json_object *o, const char *key,
				       const char *const *names, const __u64 *counts, int nr)
{
	struct json_object *set = add_object(o, key);

	for (int i = 0; i < nr; i++)
		if (counts[i])
			add_u64(set, names[i], counts[i]);
	return set;
}

static void add_eagain(struct json_object *o, const struct failures *f)
{
	struct json_object *causes = add_object(o, "eagain_causes");

	for (int i = 0; i < NR_EAGAIN_CAUSES; i++)
		add_u64(causes, cause_names[i], failures_of_cause(f, (enum eagain_cause)i));
}

static void add_causes(struct json_object *o, const struct failures *f)
{
	struct json_object *causes = add_object(o, "causes");

	for (int i = 0; i < NR_FAIL_ERRNOS; i++)
		if (failures_of_errno(f, (enum fail_errno)i))
			add_counted(causes, fail_errno_names[i], site_names, f->failed[i],
				    NR_SITES);
}

static void add_short(struct json_object *o, const struct failures *f)
{
	struct json_object *all = add_object(o, "short_copy");

	for (int i = 0; i < NR_FAIL_ERRNOS; i++) {
		struct json_object *one;

		if (!stops_of_errno(f, (enum fail_errno)i))
			continue;
		one = add_object(all, fail_errno_names[i]);
		add_u64(one, "calls", stops_of_errno(f, (enum fail_errno)i));
		add_u64(one, "bytes", f->short_bytes[i]);
		add_counted(one, "at", site_names, f->stopped[i], NR_SITES);
	}
}

static void add_fills(struct json_object *o, const struct failures *f)
{
	struct json_object *fills = add_object(o, "fill_ioctls");

	for (int i = 0; i < NR_FILLS; i++) {
		struct json_object *fill = add_counted(fills, fill_names[i], fail_errno_names,
						       f->fills[i].failed, NR_FAIL_ERRNOS);

		add_u64(fill, "ok", f->fills[i].ok);
		add_u64(fill, "mmap_changing", f->fills[i].mmap_changing);
	}
}

static void add_name(struct json_object *o, const char *key, const char *name, int number)
{
	if (name)
		add_str(o, key, name);
	else if (number >= 0)
		add_value(o, key, json_int(number));
	else
		add_null(o, key);
}

void json_holder_call(struct json_object *o, const struct holder *who)
{
	add_str(o, "op", op_name(who));
	add_name(o, "syscall", syscall_name(who->syscall), who->syscall);
	add_name(o, "advice", advice_name(who->advice), who->advice);
}

static struct json_object *holder_json(const struct holder_row *h)
{
	struct json_object *o = json_new();
	char comm[COMM_LEN + 1];

	copy_comm(h->who.comm, comm);
	json_holder_call(o, &h->who);
	add_u64(o, "pid", h->who.tgid);
	add_u64(o, "tid", h->totals.tid);
	add_str(o, "comm", comm);
	add_u64(o, "raised", h->totals.raised);
	add_u64(o, "held_ns", h->totals.held_ns);
	add_u64(o, "longest_ns", h->totals.longest_ns);
	add_u64(o, "refused", h->totals.refused);
	return o;
}

static void add_changing(struct json_object *o, const struct failures *f,
			 const struct holder_row *holders, int nr)
{
	struct json_object *changing = add_object(o, "mmap_changing"), *array = json_array();

	add_u64(changing, "raised", f->raised);
	add_u64(changing, "refused", f->refused);
	add_u64(changing, "unseen", f->refused_unseen);
	add_u64(changing, "stuck", f->refused_stuck);
	add_u64(changing, "lost", f->holders_lost);
	for (int i = 0; i < nr; i++)
		json_append(array, holder_json(&holders[i]));
	add_value(changing, "holders", array);
}

void json_failures(struct json_object *o, const struct span *s)
{
	const struct failures *f = &s->counters->failures;

	add_eagain(o, f);
	add_causes(o, f);
	add_short(o, f);
	add_fills(o, f);
	add_changing(o, f, s->holders, s->nr_holders);
}
