// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* JSON to counters: see from_json.h. */
#include "counters/from_json.h"
#include "counters/counters.h"
#include "counters/syscalls.h"
#include "lib/hist.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct counters, member)

/* One number each. */
static const struct {
	const char *path;
	size_t at;
	bool nullable;
} numbers[] = {
	{ "copy.calls", AT(totals.calls), false },
	{ "copy.bytes", AT(totals.bytes), false },
	{ "windows_open", AT(open), false },
	{ "checks.kernel.seen", AT(totals.kernel_seen), false },
	{ "checks.kernel.absent", AT(totals.kernel_absent), false },
	{ "checks.kernel.raced", AT(totals.kernel_raced), false },
	{ "odd_start", AT(totals.odd_start), true },
	{ "file_unsure", AT(totals.file_unsure), false },
	{ "external", AT(totals.external), false },
	{ "anomalies", AT(totals.anomalies), false },
	{ "lost.windows", AT(totals.lost[LOST_WINDOWS]), false },
	{ "lost.events", AT(totals.lost[LOST_EVENTS]), false },
	{ "lost.changing_events", AT(totals.lost[LOST_CHANGING_EVENTS]), false },
	{ "lost.copy_events", AT(totals.lost[LOST_COPY_EVENTS]), false },
	{ "lost.map_full", AT(totals.lost[LOST_MAP_FULL]), false },
	{ "lost.recursion", AT(recursion), false },
	{ "lost.rehooks", AT(rehooks), true },
	{ "mmap_changing.raised", AT(failures.raised), false },
	{ "mmap_changing.refused", AT(failures.refused), false },
	{ "mmap_changing.unseen", AT(failures.refused_unseen), false },
	{ "mmap_changing.stuck", AT(failures.refused_stuck), false },
	{ "mmap_changing.lost", AT(failures.holders_lost), false },
	{ "chains.count", AT(failures.chains), false },
	{ "chains.ended", AT(failures.chains_ended), false },
	{ "chains.lost", AT(failures.chains_lost), false },
	{ "chains.lost_ns", AT(failures.chain_lost_ns), false },
	{ "chains.reissued", AT(failures.reissued), false },
	{ "chains.reopened", AT(failures.reopened), false },
	{ "chains.retried", AT(failures.retried), false },
	{ "chains.succeeded", AT(failures.succeeded), false },
	{ "chains.open", AT(chains_open), false },
	{ "per_mm.passed_ns", AT(totals.passed_ns), true },
	{ "per_mm.passed_steps", AT(totals.passed_steps), true },
	{ "per_mm.quiet_ns", AT(hists[KIND_ANON][CLASS_QUIET].sum), true },
	{ "per_mm.held", AT(totals.held), true },
	{ "per_mm.held_ns", AT(totals.held_ns), true },
};

/* Numbers of objects that may be null as a whole. */
static const struct {
	const char *object;
	const char *name;
	size_t at;
} parts[] = {
	{ "begin_early", "windows", AT(totals.begin_bounded) },
	{ "begin_early", "seq_moved", AT(totals.begin_moved) },
	{ "write_sections", "total", AT(totals.writers.sections) },
	{ "write_sections", "windows", AT(totals.writers.windows) },
	{ "write_sections", "unseen", AT(totals.writers.unseen) },
	{ "write_sections", "unseen_windows", AT(totals.writers.unseen_windows) },
	{ "write_sections", "other", AT(totals.writers.other) },
};

/* An array of counters whose indexes have names. */
static const struct {
	const char *path;
	const char *const *names;
	int nr;
	size_t at;
} sets[] = {
	{ "snapshot_reasons", snapshot_reason_names, NR_SNAPSHOT_REASONS,
	  AT(totals.snapshot_reasons) },
	{ "meaning_reasons", meaning_reason_names, NR_MEANING_REASONS, AT(totals.meaning_reasons) },
	{ "tolerated_reasons", tolerated_reason_names, NR_TOLERATED_REASONS,
	  AT(totals.tolerated_reasons) },
	{ "lost.skipped", skipped_names, NR_SKIP_COSTS, AT(skipped) },
};

static const char *const check_columns[] = { "eagain", "real", "spurious", "missed", "differs" };

static __u64 *counter_at(struct counters *c, size_t at)
{
	return (__u64 *)((char *)c + at);
}

/* All counters, or with @sparse those that are there. */
static void read_set(struct json_reader *r, struct json_object *o, const char *const *names, int nr,
		     __u64 *to, bool sparse)
{
	for (int i = 0; o && i < nr; i++)
		if (names[i] && (!sparse || read_there(o, names[i])))
			to[i] = read_u64(r, o, names[i]);
}

static void read_returned(struct json_reader *r, struct json_object *o, struct totals *t)
{
	for (unsigned int e = 0; e < NR_RETURNED; e++)
		if (returned_name(e) && read_there(o, returned_name(e)))
			t->returned[e] = read_u64(r, o, returned_name(e));
}

/* Null is what a kernel without mm_lock_seq does not tell. */
static bool has_seq(struct json_object *o)
{
	return !read_null(o, "checks.per_mm_seq");
}

static void read_check(struct json_reader *r, struct json_object *checks, enum check check,
		       struct check_totals *t)
{
	struct json_object *o = read_member(r, checks, check_names[check], json_type_object);

	/* The struct has the order of the columns; the kernel does not differ from itself. */
	read_set(r, o, check_columns, check == CHECK_KERNEL ? 4 : 5, (__u64 *)t, false);
}

static void read_checks(struct json_reader *r, struct json_object *o, struct totals *t)
{
	struct json_object *checks = read_member(r, o, "checks", json_type_object);

	for (enum check i = 0; i < NR_CHECKS; i++)
		if (has_seq(o) || (i != CHECK_PER_VMA_SEQ && i != CHECK_PER_MM_SEQ))
			read_check(r, checks, i, &t->checks[i]);
}

static void read_hist(struct json_reader *r, struct json_object *o, const char *path,
		      struct hist *h)
{
	struct json_object *buckets = read_member(r, o, path, json_type_array);

	for (size_t i = 0; buckets && i < json_object_array_length(buckets); i++) {
		struct json_object *bucket = json_object_array_get_idx(buckets, i);

		h->count[hist_bucket(read_u64(r, bucket, "min"))] += read_u64(r, bucket, "count");
	}
}

static void read_kind(struct json_reader *r, struct json_object *o, enum dst_kind kind,
		      struct counters *c)
{
	struct json_object *kinds = read_member(r, o, "by_kind", json_type_object);
	struct json_object *hists = read_member(r, o, "hist_ns.window_by_kind", json_type_object);

	/* Some plans do not see this kind. */
	if (kind == KIND_HUGETLB && read_null(kinds, kind_names[kind]))
		return;
	kinds = read_member(r, kinds, kind_names[kind], json_type_object);
	hists = read_member(r, hists, kind_names[kind], json_type_object);
	for (int i = 0; kinds && hists && i < NR_CLASSES; i++) {
		if (i == CLASS_LOCKED && !has_seq(o))
			continue;
		c->totals.windows[kind][i] = read_u64(r, kinds, class_names[i]);
		read_hist(r, hists, class_names[i], &c->hists[kind][i]);
	}
}

/* The JSON has all relocks, and those with mmap_lock. */
static void read_relocks(struct json_reader *r, struct json_object *o, struct counters *c)
{
	struct hist *all = &c->relock[RELOCK_VMA_LOCK];
	const struct hist *some = &c->relock[RELOCK_MMAP_LOCK];

	if (read_null(o, "relock"))
		return;
	read_hist(r, o, "hist_ns.relock", all);
	read_hist(r, o, "hist_ns.relock_mmap_lock", &c->relock[RELOCK_MMAP_LOCK]);
	for (int i = 0; i < HIST_BUCKETS; i++)
		all->count[i] -= some->count[i];
}

static void read_fill(struct json_reader *r, struct json_object *o, struct fill_totals *t)
{
	t->ok = read_u64(r, o, "ok");
	t->mmap_changing = read_u64(r, o, "mmap_changing");
	read_set(r, o, fail_errno_names, NR_FAIL_ERRNOS, t->failed, true);
}

static void read_failures(struct json_reader *r, struct json_object *o, struct failures *f)
{
	struct json_object *causes = read_member(r, o, "causes", json_type_object);
	struct json_object *shorts = read_member(r, o, "short_copy", json_type_object);
	struct json_object *fills = read_member(r, o, "fill_ioctls", json_type_object), *one;

	for (int i = 0; i < NR_FAIL_ERRNOS; i++) {
		const char *name = fail_errno_names[i];

		if (read_there(causes, name))
			read_set(r, read_member(r, causes, name, json_type_object), site_names,
				 NR_SITES, f->failed[i], true);
		if (!read_there(shorts, name))
			continue;
		one = read_member(r, shorts, name, json_type_object);
		f->short_bytes[i] = read_u64(r, one, "bytes");
		read_set(r, read_member(r, one, "at", json_type_object), site_names, NR_SITES,
			 f->stopped[i], true);
	}
	/* Older records lack the one that came with Linux 7.3. */
	for (int i = 0; i < NR_FILLS; i++)
		if (i != FILL_RWPROTECT || read_there(fills, fill_names[i]))
			read_fill(r, read_member(r, fills, fill_names[i], json_type_object),
				  &f->fills[i]);
}

/* The index of @name, or @nr. */
static int index_of(const char *name, const char *const *names, int nr)
{
	int i = 0;

	while (i < nr && strcmp(name, names[i]))
		i++;
	return i;
}

/* Any place that has this cause: the report tells no more of it. */
static __u64 chain_word(__u64 length, const char *cause)
{
	const int is = index_of(cause, cause_names, NR_EAGAIN_CAUSES);
	int fail = index_of(cause, fail_errno_names, NR_FAIL_ERRNOS), site = 0;

	if (is == NR_EAGAIN_CAUSES)
		return CHAIN_WORD(length, fail, fail == NR_FAIL_ERRNOS ? NR_SITES : 0);
	while (cause_of_site((enum fail_site)site) != (enum eagain_cause)is)
		site++;
	return CHAIN_WORD(length, FAIL_EAGAIN, site);
}

static void read_chains(struct json_reader *r, struct json_object *o, struct counters *c)
{
	char cause[32];

	read_text_or_null(r, o, "chains.longest_cause", cause, sizeof(cause));
	c->chain_longest = chain_word(read_u64(r, o, "chains.longest"), cause);
	read_hist(r, o, "chains.lengths", &c->chain_lengths);
}

/* A name, or a number that has none. */
static int read_name(struct json_object *o, const char *path, int (*number_of)(const char *name))
{
	struct json_reader number = {}; /* what is no name is not bad */
	char name[32];

	read_text(&number, o, path, name, sizeof(name));
	return number_of(name);
}

/* A row whose event this version does not know is left out. */
static void read_holders(struct json_reader *r, struct json_object *o, struct saved_counters *s)
{
	struct json_object *rows = read_member(r, o, "mmap_changing.holders", json_type_array);

	for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct holder_row *h = &s->holders[s->nr_holders];
		char op[16], comm[COMM_LEN + 1];

		if (s->nr_holders == MAX_HOLDERS)
			return;
		read_text(r, row, "op", op, sizeof(op));
		read_text(r, row, "comm", comm, sizeof(comm));
		h->who.op = (__u32)index_of(op, changing_op_names, NR_CHANGING_OPS);
		h->who.tgid = (__u32)read_u64(r, row, "pid");
		h->who.syscall = read_name(row, "syscall", syscall_number);
		h->who.advice = read_name(row, "advice", advice_number);
		memcpy(h->who.comm, comm, COMM_LEN);
		h->totals = (struct holder_totals) {
			.raised = read_u64(r, row, "raised"),
			.held_ns = read_u64(r, row, "held_ns"),
			.longest_ns = read_u64(r, row, "longest_ns"),
			.refused = read_u64(r, row, "refused"),
			.tid = (__u32)read_u64(r, row, "tid"),
		};
		s->nr_holders += h->who.op < NR_CHANGING_OPS;
	}
}

static void read_writer(struct json_reader *r, struct json_object *row, struct saved_counters *s,
			size_t id)
{
	struct writer_text *words = &s->words[id];
	struct writer_entry *e = &s->writers[id];

	read_text(r, row, "op", words->op, sizeof(words->op));
	read_text_or_null(r, row, "syscall", words->syscall, sizeof(words->syscall));
	read_text_or_null(r, row, "advice", words->advice, sizeof(words->advice));
	read_text_or_null(r, row, "flags", words->flags, sizeof(words->flags));
	read_text(r, row, "comm", words->comm, sizeof(words->comm));
	*e = (struct writer_entry) { .words = words, .used = true };
	e->key.tgid = (__u32)read_u64(r, row, "pid");
	e->key.covers = read_bool(r, row, "covers_dst");
	if (!read_null(row, "range")) {
		e->start = read_u64(r, row, "range.start");
		e->end = read_u64(r, row, "range.end");
	}
	s->counters.writers[id].windows = read_u64(r, row, "windows");
	s->counters.writers[id].sections = read_u64(r, row, "sections");
}

static void read_writers(struct json_reader *r, struct json_object *o, struct saved_counters *s)
{
	struct json_object *rows;

	if (read_null(o, "writers"))
		return;
	rows = read_member(r, o, "writers", json_type_array);
	for (size_t i = 0; rows && i < json_object_array_length(rows) && i < MAX_WRITERS; i++)
		read_writer(r, json_object_array_get_idx(rows, i), s, i);
}

/* All that the text shows of a target. One whose owner was gone has null for its names. */
static void read_who(struct json_reader *r, struct json_object *o, struct saved_targets *t,
		     struct by_row *who)
{
	char comm[COMM_LEN + 1], path[PATH_MAX];

	if (t->by == BY_CGROUP) {
		who->key.id = read_u64_or_null(r, o, "cgroup_id");
		if (read_null(o, "cgroup"))
			return;
		read_text(r, o, "cgroup", path, sizeof(path));
		cgroup_names_add(&t->cgroups, who->key.id);
		cgroup_names_set(&t->cgroups, who->key.id, path);
		return;
	}
	who->key.id = !read_null(o, "comm");
	who->pid = (__u32)read_u64_or_null(r, o, "pid");
	read_text_or_null(r, o, "comm", comm, sizeof(comm));
	memcpy(who->comm, comm, COMM_LEN);
}

static struct by_line read_line(struct json_reader *r, struct json_object *o)
{
	return (struct by_line) {
		.calls = read_u64(r, o, "calls"),
		.eagain = read_u64(r, o, "eagain"),
		.windows = read_u64(r, o, "windows"),
		.needless = read_u64_or_null(r, o, "needless"),
		.p99_ns = read_u64_or_null(r, o, "p99_ns"),
	};
}

/* Without any row the record does not tell --by process from --by cgroup. */
static void read_targets(struct json_reader *r, struct json_object *o, struct saved_counters *s)
{
	struct json_object *rows, *other;
	struct saved_targets *t;

	if (!read_there(o, "targets"))
		return;
	rows = read_member(r, o, "targets", json_type_array);
	other = read_member(r, o, "targets_other", json_type_object);
	t = s->targets = calloc(1, sizeof(*t));
	if (!rows || !t)
		return read_failed(r, "targets");
	for (size_t i = 0; i < json_object_array_length(rows) && i < BY_SHOWN; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		t->by = read_there(row, "cgroup_id") ? BY_CGROUP : BY_PROCESS;
		read_who(r, row, t, &t->rows[i]);
		t->list.lines[i] = read_line(r, row);
		t->list.lines[i].who = &t->rows[i];
		t->list.nr++;
	}
	t->list.other = read_line(r, other);
	/* Far from an overflow when more are added. */
	t->list.others = (int)(read_u64(r, other, "targets") & 0xffffff);
}

static void read_numbers(struct json_reader *r, struct json_object *o, struct counters *c)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*counter_at(c, numbers[i].at) = numbers[i].nullable
							? read_u64_or_null(r, o, numbers[i].path)
							: read_u64(r, o, numbers[i].path);
	if (read_null(o, "lost.rehooks"))
		c->rehooks = REHOOKS_UNTOLD;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!read_null(o, parts[i].object))
			*counter_at(c, parts[i].at) =
				read_u64(r, read_member(r, o, parts[i].object, json_type_object),
					 parts[i].name);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		read_set(r, read_member(r, o, sets[i].path, json_type_object), sets[i].names,
			 sets[i].nr, counter_at(c, sets[i].at), false);
}

void counters_from_json(struct json_reader *r, struct json_object *o, struct saved_counters *s)
{
	struct counters *c = &s->counters;

	memset(s, 0, sizeof(*s));
	read_numbers(r, o, c);
	read_returned(r, read_member(r, o, "copy.returned", json_type_object), &c->totals);
	for (int i = 0; i < NR_KINDS; i++)
		read_kind(r, o, (enum dst_kind)i, c);
	read_checks(r, o, &c->totals);
	if (!read_null(o, "begin_early"))
		read_hist(r, o, "hist_ns.begin_early", &c->begin);
	read_relocks(r, o, c);
	read_failures(r, o, &c->failures);
	read_chains(r, o, c);
	read_holders(r, o, s);
	read_writers(r, o, s);
	read_targets(r, o, s);
}
