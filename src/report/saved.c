// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* JSON to a report: see saved.h. */
#include "report/saved.h"
#include "counters/counters.h"
#include "report/text.h"
#include "sys/err.h"
#include "sys/json_lines.h"
#include "sys/records.h"
#include "version.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- The file --- */

struct found {
	struct json_object *summary; /* the last one, or NULL */
	bool any;		     /* a record of ours */
	bool runs;		     /* a run began and has no summary yet */
	__u64 schema;		     /* the highest */
};

/* COMMAND may print JSON as well, with other types. */
static bool is_ours(const char *type)
{
	static const char *const types[] = { "start", "interval",  "event", "summary", "error",
					     "list",  "self_test", "probe", "diff" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static void on_record(void *data, struct json_object *o)
{
	struct json_reader r = {};
	struct found *f = data;
	char type[16];
	__u64 schema;

	read_text(&r, o, "type", type, sizeof(type));
	schema = read_u64(&r, o, "schema");
	if (!is_ours(type) || r.bad[0])
		return;
	f->any = true;
	f->schema = schema > f->schema ? schema : f->schema;
	if (strcmp(type, "summary")) {
		f->runs |= !strcmp(type, "start") || !strcmp(type, "interval") ||
			   !strcmp(type, "event");
		return;
	}
	json_object_put(f->summary);
	f->summary = json_object_get(o);
	f->runs = false;
}

/* Returns 0, or prints why there is nothing to read and returns EXIT_ERROR. */
static int judge(const struct found *f, const char *name)
{
	if (!f->any)
		return fail(EXIT_ERROR, "it takes what uffdretry -j wrote",
			    "%s has no record of uffdretry", name);
	if (f->schema > JSON_SCHEMA)
		return fail(EXIT_ERROR, "take the uffdretry that wrote it, or a newer one",
			    "%s has JSON schema %llu, and this version reads %d", name, f->schema,
			    JSON_SCHEMA);
	if (!f->summary)
		return fail(EXIT_ERROR, "it takes what uffdretry -j wrote, to its end",
			    f->runs ? "%s has no summary: its run was interrupted"
				    : "%s has no summary: it is not of a run that traced",
			    name);
	if (f->runs)
		warning("%s: a later run in it has no summary, and is left out", name);
	return 0;
}

/* --- The run --- */

static void read_target(struct json_reader *r, struct json_object *o, struct saved *s)
{
	struct json_object *pids = read_member(r, o, "target.pids", json_type_array);
	struct target *t = &s->target;

	for (size_t i = 0; pids && i < json_object_array_length(pids) && i < MAX_PIDS; i++) {
		struct json_object *pid = json_object_array_get_idx(pids, i);

		if (!json_object_is_type(pid, json_type_int))
			read_failed(r, "target.pids");
		t->pids[t->nr++] = json_object_get_int(pid);
	}
	read_text_or_null(r, o, "target.cgroup", s->cgroup, sizeof(s->cgroup));
	read_text_or_null(r, o, "target.command", s->command, sizeof(s->command));
	t->cgroup = s->cgroup[0] ? s->cgroup : NULL;
	s->report.target = t->nr || t->cgroup ? t : NULL;
	if (read_null(o, "target.command"))
		return;
	s->words[0] = s->command;
	s->report.command = s->words;
}

static void read_owners(struct json_reader *r, struct json_object *o, struct saved *s)
{
	struct json_object *all;
	size_t nr;

	if (read_null(o, "owners"))
		return;
	all = read_member(r, o, "owners.processes", json_type_array);
	nr = all ? json_object_array_length(all) : 0;
	s->owners.hidden = read_null(o, "owners.unreadable");
	s->owners.unreadable = (int)(read_u64_or_null(r, o, "owners.unreadable") & 0x7fffffff);
	s->owners.processes = nr ? calloc(nr, sizeof(*s->owners.processes)) : NULL;
	if (nr && !s->owners.processes)
		return read_failed(r, "owners");
	for (size_t i = 0; i < nr; i++) {
		struct json_object *one = json_object_array_get_idx(all, i);
		struct uffd_process *p = &s->owners.processes[s->owners.nr++];

		p->pid = (pid_t)(read_u64(r, one, "pid") & 0x7fffffff);
		read_text(r, one, "comm", p->comm, sizeof(p->comm));
	}
	s->report.owners = &s->owners;
}

/* The hooks that the text shows: those whose runs were counted. */
static void read_overhead(struct json_reader *r, struct json_object *o, struct saved *s)
{
	struct json_object *rows;
	int nr = 0;

	if (!read_there(o, "overhead"))
		return;
	s->report.overhead = true;
	rows = read_member(r, o, "overhead", json_type_array);
	for (size_t i = 0; rows && i < json_object_array_length(rows) && nr < MAX_HOOKS; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		read_text(r, row, "name", s->targets[nr], sizeof(s->targets[nr]));
		read_text(r, row, "variant", s->variants[nr], sizeof(s->variants[nr]));
		s->report.hooks[nr] = (struct hook_state) {
			.target = s->targets[nr],
			.variant = s->variants[nr],
			.attached = true,
			.runs = read_u64(r, row, "runs"),
			.run_ns = read_u64(r, row, "run_ns"),
			.skipped = read_u64(r, row, "skipped"),
		};
		nr++;
	}
	s->report.nr_hooks = nr;
}

/* "x86_64, 2 CPUs, TCGTCGTCGTCG" */
static void read_machine(struct json_reader *r, struct json_object *o, struct saved *s)
{
	char arch[16], hypervisor[16];

	read_text(r, o, "host.arch", arch, sizeof(arch));
	read_text_or_null(r, o, "host.hypervisor", hypervisor, sizeof(hypervisor));
	s->emulated = !strcmp(hypervisor, "TCGTCGTCGTCG");
	snprintf(s->machine, sizeof(s->machine), "%s, %llu CPUs%s%s", arch,
		 read_u64(r, o, "host.cpus"), hypervisor[0] ? ", " : "", hypervisor);
}

static enum seq_kind seq_of(struct json_object *o)
{
	if (read_null(o, "checks.per_mm_seq"))
		return SEQ_NONE;
	return read_null(o, "odd_start") ? SEQ_INT : SEQ_COUNT;
}

/* Null where it was not. */
static bool was_measured(struct json_reader *r, struct json_object *o, const char *path)
{
	return !read_null(o, path) && read_member(r, o, path, json_type_object);
}

static void read_run(struct json_reader *r, struct json_object *o, struct saved *s)
{
	const __u64 size = read_u64(r, o, "host.page_size");
	struct saved_targets *targets = s->all.targets;

	if (!size)
		read_failed(r, "host.page_size");
	set_page_size(size);
	read_text(r, o, "host.kernel", s->kernel, sizeof(s->kernel));
	read_text(r, o, "plan.name", s->plan, sizeof(s->plan));
	read_text(r, o, "plan.exactness", s->exactness, sizeof(s->exactness));
	read_text(r, o, "plan.self_test", s->self_test, sizeof(s->self_test));
	read_text(r, o, "plan.kernel_check", s->kernel_check, sizeof(s->kernel_check));
	s->report = (struct report) {
		.kernel = s->kernel,
		.plan = s->plan,
		.exactness = s->exactness,
		.exact = read_bool(r, o, "plan.exact"),
		.self_test = s->self_test,
		.kernel_check = s->kernel_check,
		.time = (time_t)read_double(r, o, "time"),
		.claims = read_there(o, "claims") && read_member(r, o, "claims", json_type_array),
		.sees_hugetlb = was_measured(r, o, "by_kind.hugetlb"),
		.bounds_begin = was_measured(r, o, "begin_early"),
		.seq = seq_of(o),
		.relock = was_measured(r, o, "relock"),
		.writers = read_null(o, "writers") ? NULL : s->all.writers,
		.by = targets ? targets->by : BY_NOTHING,
		.by_list = targets ? &targets->shown : NULL,
		.cgroups = targets ? &targets->cgroups : NULL,
	};
	s->span = (struct span) {
		.counters = &s->all.counters,
		.holders = s->all.holders,
		.nr_holders = s->all.nr_holders,
		.by_saved = targets ? &targets->list : NULL,
		.elapsed_s = read_double(r, o, "elapsed_s"),
		.final = true,
	};
}

/* Returns 0, or prints what is wrong and returns EXIT_ERROR. */
static int read_summary(struct saved *s, struct json_object *o, const char *name)
{
	struct json_reader r = {};

	counters_from_json(&r, o, &s->all);
	read_run(&r, o, s);
	read_machine(&r, o, s);
	read_target(&r, o, s);
	read_owners(&r, o, s);
	read_overhead(&r, o, s);
	/* A newer version may know more classes: then these counts would be too small. */
	if (windows_total(&s->all.counters.totals) != read_u64(&r, o, "windows.total"))
		read_failed(&r, "windows.total");
	if (!r.bad[0])
		return 0;
	return fail(EXIT_ERROR, "take the uffdretry that wrote it",
		    "the summary in %s has no valid '%s' for this version (" UFFDRETRY_VERSION ")",
		    name, r.bad);
}

int saved_read(struct saved *s, const char *path)
{
	const char *name = records_name(path);
	struct found f = {};
	int err;

	memset(s, 0, sizeof(*s));
	err = records_read(path, on_record, &f) ?: judge(&f, name);
	if (!err)
		err = read_summary(s, f.summary, name);
	json_object_put(f.summary);
	return err;
}

void saved_free(struct saved *s)
{
	uffd_list_free(&s->owners);
	free(s->all.targets);
	s->all.targets = NULL;
	set_page_size(0);
}

static int print(const struct report *to, const void *data)
{
	const struct saved *s = data;
	struct report r = s->report;

	r.out = to->out;
	r.verbose = to->verbose;
	r.timestamp = to->timestamp;
	return text_summary(&r, &s->span);
}

int saved_report(struct sink *sink, const char *path)
{
	/* No part of each run's memory: it is large. */
	struct saved *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return fail(EXIT_ERROR, NULL, "report: %s", strerror(ENOMEM));
	err = saved_read(s, path) ?: sink_print(sink, print, s);
	saved_free(s);
	free(s);
	return err;
}
