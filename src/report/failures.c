// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Causes, holders of mmap_changing, and chains in JSON: see docs/reference/json.md. */
#include "counters/counters.h"
#include "sys/json.h"
#include "report/failures.h"

/* A set of the counts that are not 0, by name. */
static struct json_object *add_counted(struct json_object *o, const char *key, const char *const *names,
				       const __u64 *counts, int nr)
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
			add_counted(causes, fail_errno_names[i], site_names, f->failed[i], NR_SITES);
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
		struct json_object *fill = add_counted(fills, fill_names[i], fail_errno_names, f->fills[i].failed,
						       NR_FAIL_ERRNOS);

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

static struct json_object *holder_json(const struct holder_row *h)
{
	struct json_object *o = json_new();
	char comm[sizeof(h->who.comm) + 1] = "";

	for (size_t i = 0; i < sizeof(h->who.comm); i++)
		comm[i] = h->who.comm[i];
	add_str(o, "op", changing_op_names[h->who.op < NR_CHANGING_OPS ? h->who.op : 0]);
	add_name(o, "syscall", syscall_name(h->who.syscall), h->who.syscall);
	add_name(o, "advice", advice_name(h->who.advice), h->who.advice);
	add_u64(o, "pid", h->who.tgid);
	add_u64(o, "tid", h->totals.tid);
	add_str(o, "comm", comm);
	add_u64(o, "raised", h->totals.raised);
	add_u64(o, "held_ns", h->totals.held_ns);
	add_u64(o, "longest_ns", h->totals.longest_ns);
	add_u64(o, "refused", h->totals.refused);
	return o;
}

static void add_changing(struct json_object *o, const struct failures *f, const struct holder_row *holders, int nr)
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

void json_failures(struct json_object *o, const struct counters *c, const struct holder_row *holders, int nr_holders)
{
	const struct failures *f = &c->failures;

	add_eagain(o, f);
	add_causes(o, f);
	add_short(o, f);
	add_fills(o, f);
	add_changing(o, f, holders, nr_holders);
}

void json_chains(struct json_object *o, const struct counters *c)
{
	const struct failures *f = &c->failures;
	struct json_object *chains = add_object(o, "chains");
	const char *cause = chain_cause_name(c->chain_longest);

	add_u64(chains, "count", f->chains);
	add_u64(chains, "ended", f->chains_ended);
	add_u64(chains, "open", c->chains_open);
	add_u64(chains, "longest", CHAIN_LENGTH(c->chain_longest));
	add_str(chains, "longest_cause", cause);
	add_u64(chains, "lost_ns", f->chain_lost_ns);
	add_u64(chains, "reissued", f->reissued);
	add_u64(chains, "reopened", f->reopened);
	add_u64(chains, "retried", f->retried);
	add_u64(chains, "succeeded", f->succeeded);
	add_u64(chains, "lost", f->chains_lost);
	add_value(chains, "lengths", hist_json(&c->chain_lengths));
}
