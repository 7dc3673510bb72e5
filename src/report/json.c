// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The report as JSON lines, schema 1 (docs/reference/json.md). */
#include "report/json.h"
#include "counters/counters.h"
#include "report/sections/advice.h"
#include "report/sections/chains.h"
#include "report/sections/claims.h"
#include "report/sections/durations.h"
#include "report/sections/failures.h"
#include "report/sections/idle.h"
#include "report/sections/overhead.h"
#include "report/sections/per_mm.h"
#include "report/sections/stacks.h"
#include "report/sections/targets.h"
#include "report/sections/writers.h"
#include "sys/hypervisor.h"
#include "sys/json_lines.h"
#include "version.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void add_names(struct json_object *o, const char *key, const char *const *names,
		      const __u64 *values, int nr)
{
	struct json_object *set = add_object(o, key);

	for (int i = 0; i < nr; i++)
		add_u64(set, names[i], values[i]);
}

static void add_host(struct json_object *o)
{
	char signature[HYPERVISOR_LEN];
	struct json_object *host = add_object(o, "host");
	struct utsname uts;

	uname(&uts);
	add_str(host, "kernel", uts.release);
	add_str(host, "arch", uts.machine);
	add_u64(host, "cpus", (__u64)sysconf(_SC_NPROCESSORS_ONLN));
	add_u64(host, "page_size", page_size());
	add_str(host, "hypervisor", hypervisor(signature));
}

static void add_tool(struct json_object *o)
{
	struct json_object *tool = add_object(o, "tool");

	add_str(tool, "name", "uffdretry");
	add_str(tool, "version", UFFDRETRY_VERSION);
}

static void add_plan(struct json_object *o, const struct report *r)
{
	struct json_object *plan = add_object(o, "plan");
	struct json_object *hooks = json_array(), *unmeasured = json_array();

	add_str(plan, "name", r->plan);
	add_bool(plan, "exact", r->exact);
	add_str(plan, "exactness", r->exactness);
	add_str(plan, "self_test", r->self_test);
	add_str(plan, "kernel_check", r->kernel_check);
	for (int i = 0; i < r->nr_hooks; i++) {
		struct json_object *hook = json_new();

		add_str(hook, "name", r->hooks[i].target);
		add_str(hook, "variant", r->hooks[i].variant);
		add_bool(hook, "attached", r->hooks[i].attached);
		add_u64(hook, "missed", r->hooks[i].missed);
		json_append(hooks, hook);
	}
	add_value(plan, "hooks", hooks);
	for (int i = 0; r->unmeasured[i]; i++)
		json_append(unmeasured, json_text(r->unmeasured[i]));
	add_value(plan, "unmeasured", unmeasured);
}

/* The words of @command unchanged; target_text() would make them printable. */
static void add_command(struct json_object *target, char *const *command)
{
	char text[4096];
	size_t used = 0;

	for (int i = 0; command[i] && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
					 command[i]);
	add_str(target, "command", text);
}

static void add_target(struct json_object *o, const struct report *r)
{
	struct json_object *target = add_object(o, "target");
	struct json_object *pids = json_array();

	for (int i = 0; r->target && i < r->target->nr; i++)
		json_append(pids, json_int(r->target->pids[i]));
	add_value(target, "pids", pids);
	add_str(target, "cgroup", r->target ? r->target->cgroup : NULL);
	if (r->command)
		add_command(target, r->command);
	else
		add_null(target, "command");
}

static void add_time(struct json_object *o)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	add_double(o, "time", (double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

static void add_copy(struct json_object *o, const struct totals *t)
{
	struct json_object *copy = add_object(o, "copy"), *returned;

	add_u64(copy, "calls", t->calls);
	add_u64(copy, "pages", pages_of(t->bytes));
	add_u64(copy, "bytes", t->bytes);
	returned = add_object(copy, "returned");
	for (unsigned int e = 0; e < NR_RETURNED; e++)
		if ((t->returned[e] || e == 0) && returned_name(e))
			add_u64(returned, returned_name(e), t->returned[e]);
}

static void add_class(struct json_object *o, const struct report *r, enum window_class class,
		      __u64 n)
{
	if (report_tells_class(r, class))
		add_u64(o, class_names[class], n);
	else
		add_null(o, class_names[class]);
}

static void add_windows(struct json_object *o, const struct report *r, const struct totals *t)
{
	struct json_object *windows = add_object(o, "windows");

	add_u64(windows, "total", windows_total(t));
	for (enum window_class i = 0; i < NR_CLASSES; i++)
		add_class(windows, r, i, windows_of_class(t, i));
}

static void add_kinds(struct json_object *o, const struct report *r, const struct totals *t)
{
	struct json_object *kinds = add_object(o, "by_kind"), *of_kind;

	for (int kind = 0; kind < NR_KINDS; kind++) {
		if (!report_sees(r, kind)) {
			add_null(kinds, kind_names[kind]);
			continue;
		}
		of_kind = add_object(kinds, kind_names[kind]);
		for (enum window_class i = 0; i < NR_CLASSES; i++)
			add_class(of_kind, r, i, t->windows[kind][i]);
	}
}

static void add_check(struct json_object *checks, const struct totals *t, enum check i)
{
	struct json_object *check = add_object(checks, check_names[i]);

	add_u64(check, "eagain", t->checks[i].eagain);
	add_u64(check, "real", t->checks[i].real);
	add_u64(check, "spurious", t->checks[i].spurious);
	add_u64(check, "missed", t->checks[i].missed);
	if (i != CHECK_KERNEL) {
		add_u64(check, "differs", t->checks[i].differs);
		return;
	}
	add_u64(check, "seen", t->kernel_seen);
	add_u64(check, "absent", t->kernel_absent);
	add_u64(check, "raced", t->kernel_raced);
}

static void add_checks(struct json_object *o, const struct report *r, const struct totals *t)
{
	struct json_object *checks = add_object(o, "checks");

	for (enum check i = 0; i < NR_CHECKS; i++) {
		if (report_tells_check(r, i))
			add_check(checks, t, i);
		else
			add_null(checks, check_names[i]);
	}
}

void json_lost(struct json_object *o, const struct counters *c)
{
	struct json_object *lost = add_object(o, "lost"), *skipped;

	add_u64(lost, lost_names[LOST_WINDOWS], c->totals.lost[LOST_WINDOWS]);
	for (int i = LOST_EVENTS; i <= LOST_COPY_EVENTS; i++)
		add_u64(lost, lost_names[i], c->totals.lost[i]);
	add_u64(lost, "recursion", c->recursion);
	if (c->rehooks == REHOOKS_UNTOLD)
		add_null(lost, "rehooks");
	else
		add_u64(lost, "rehooks", c->rehooks);
	add_u64(lost, lost_names[LOST_MAP_FULL], c->totals.lost[LOST_MAP_FULL]);
	skipped = add_object(lost, "skipped");
	for (int i = 0; i < NR_SKIP_COSTS; i++)
		if (skipped_names[i])
			add_u64(skipped, skipped_names[i], c->skipped[i]);
}

static struct json_object *new_record(const char *type)
{
	struct json_object *o = json_new();

	add_str(o, "type", type);
	add_u64(o, "schema", JSON_SCHEMA);
	return o;
}

void json_start_members(struct json_object *o, const struct report *r)
{
	add_tool(o);
	add_host(o);
	add_plan(o, r);
	add_target(o, r);
	add_time(o);
}

int json_start(const struct report *r)
{
	struct json_object *o = new_record("start");

	json_start_members(o, r);
	return json_write(r->out, o);
}

int json_self_test(const struct report *r, const struct self_test *t)
{
	struct json_object *o = new_record("self_test");

	add_tool(o);
	add_host(o);
	add_plan(o, r);
	add_u64(o, "windows", (__u64)t->windows);
	add_u64(o, "took_ns", t->took_ns);
	add_str(o, "why", t->why[0] ? t->why : NULL);
	return json_write(r->out, o);
}

int json_span(const struct report *r, const struct span *s)
{
	const struct totals *t = &s->counters->totals;
	struct json_object *o = new_record(s->final ? "summary" : "interval");

	if (s->final) {
		add_tool(o);
		add_host(o);
		add_plan(o, r);
		add_target(o, r);
		json_owners(o, r);
	}
	add_time(o);
	add_double(o, "elapsed_s", s->elapsed_s);
	add_copy(o, t);
	add_windows(o, r, t);
	add_u64(o, "windows_open", s->counters->open);
	add_names(o, "snapshot_reasons", snapshot_reason_names, t->snapshot_reasons,
		  NR_SNAPSHOT_REASONS);
	add_names(o, "meaning_reasons", meaning_reason_names, t->meaning_reasons,
		  NR_MEANING_REASONS);
	add_names(o, "tolerated_reasons", tolerated_reason_names, t->tolerated_reasons,
		  NR_TOLERATED_REASONS);
	add_kinds(o, r, t);
	add_checks(o, r, t);
	json_failures(o, s);
	json_targets(o, r, s);
	json_writers(o, r, s->counters);
	json_chains(o, s->counters);
	json_hists(o, r, s->counters);
	json_begin(o, r, s->counters);
	json_relock(o, r, s->counters);
	if (r->seq == SEQ_COUNT)
		add_u64(o, "odd_start", t->odd_start);
	else
		add_null(o, "odd_start");
	add_u64(o, "file_unsure", t->file_unsure);
	add_u64(o, "external", t->external);
	add_u64(o, "anomalies", t->anomalies);
	json_lost(o, s->counters);
	if (s->final)
		json_per_mm(o, r, s->counters);
	if (s->final && r->claims)
		json_claims(o, r, s->counters);
	if (s->final && r->overhead)
		json_overhead(o, r, s);
	json_stacks(o, r, s);
	if (s->final)
		json_advice(o, s);
	return json_write(r->out, o);
}
