// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Choosing the plan that works here: see session.h. */
#include "trace/session.h"
#include "sys/access.h"
#include "sys/err.h"
#include "counters/counters.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

static const char *const result_names[] = {
	[SELF_TEST_PASSED] = "passed",
	[SELF_TEST_FAILED] = "failed",
	[SELF_TEST_SKIPPED] = "skipped",
};

static int no_usable_plan(const struct session *s)
{
	char text[1024] = "", missing[256];
	size_t used = 0;

	if (!s->kernel.has_uffd)
		return fail(EXIT_ERROR, "it takes a kernel with CONFIG_USERFAULTFD=y", "this kernel has no userfaultfd");
	for (const struct plan *p = plans; p->name; p++) {
		plan_missing(&s->kernel, p, missing, sizeof(missing));
		if (used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s plan %s lacks %s",
						 used ? ";" : "", p->name, missing);
	}
	return fail(EXIT_ERROR, "uffdretry --probe shows what each plan needs",
		    "no usable plan on this kernel: in its BTF%s", text);
}

static int load_plan(struct session *s, const struct options *o)
{
	const struct tracer_config cfg = {
		.kernel = &s->kernel,
		.plan = s->plan,
		.all = o->all,
		.follow_forks = o->command,
		.writers = !o->no_writers,
		.witness = o->witness || o->probe, /* which shows every hook */
		.events = o->events,
		.relock = o->relock,
	};
	int err = tracer_open(&s->tracer, &cfg);

	if (!err)
		err = tracer_attach(s->tracer);
	return err;
}

/* An attached hook that never fires: its function was inlined at the call that matters. */
static void report_silent_hooks(const struct session *s)
{
	struct hook_state hooks[MAX_HOOKS];
	int nr = tracer_hooks(s->tracer, hooks);

	for (int i = 0; i < nr; i++)
		if (hook_is_silent(&hooks[i]))
			warning("the hook on %s() is attached and never fired: %s", hooks[i].target,
				hooks[i].why);
}

/* Which check the kernel has: by its answers in the self-test, else the snapshot, which the merged kernel has. */
static void settle_kernel_check(struct session *s)
{
	enum check check = CHECK_SNAPSHOT;

	if (!s->kernel.has_check) {
		s->kernel_check_name = "none";
		return;
	}
	if (s->self_test_name == result_names[SELF_TEST_PASSED])
		check = s->self_test.inferred_check;
	tracer_set_kernel_check(s->tracer, check);
	s->kernel_check_name = check < NR_CHECKS ? check_names[check] : "unknown";
	if (check == NR_CHECKS)
		warning("this kernel's check after the retry is none that uffdretry knows");
}

static void prove_plan(struct session *s, const struct options *o)
{
	s->self_test_name = "off";
	if (o->self_test == SELF_TEST_OFF)
		return;
	self_test(s->tracer, &s->kernel, &s->self_test);
	s->self_test_name = result_names[s->self_test.result];
	if (s->self_test.result != SELF_TEST_PASSED)
		warning("self-test of plan %s %s: %s", s->plan->name, s->self_test_name, s->self_test.why);
	else
		verbose("self-test of plan %s passed: %d windows in %.1f ms", s->plan->name, s->self_test.windows,
			(double)s->self_test.took_ns / 1e6);
	if (s->self_test.result == SELF_TEST_PASSED)
		report_silent_hooks(s);
}

/* The plan to try after @s->plan, or NULL. A forced plan has no successor. */
static const struct plan *next_plan(const struct session *s, const struct options *o)
{
	return o->plan ? NULL : plan_next(&s->kernel, s->plan + 1);
}

static int choose_first(struct session *s, const struct options *o)
{
	char missing[256];

	if (!o->plan) {
		s->plan = plan_next(&s->kernel, plans);
		return s->plan ? 0 : no_usable_plan(s);
	}
	s->plan = plan_by_name(o->plan);
	if (plan_possible(&s->kernel, s->plan))
		return 0;
	plan_missing(&s->kernel, s->plan, missing, sizeof(missing));
	return fail(EXIT_ERROR, "leave --plan out to let the tool choose",
		    "plan %s cannot run here: this kernel's BTF lacks %s", s->plan->name, missing);
}

/* Give back what only loading needed: 5 MiB of BTF, and more that libbpf made of it. */
static void release_memory(struct session *s)
{
	kernel_close(&s->kernel);
	malloc_trim(0);
}

int session_open(struct session *s, const struct options *o)
{
	int err;

	memset(s, 0, sizeof(*s));
	if (o->plan && !plan_by_name(o->plan))
		return fail(EXIT_USAGE, "uffdretry --probe lists the plans", "no such plan: %s", o->plan);
	err = check_access();
	if (err)
		return err;
	err = kernel_open(&s->kernel);
	if (err)
		return explain_refusal(err, "reading the kernel's BTF");
	if (o->no_writers)
		note_unmeasured(&s->kernel, "writers (--no-writers)");
	err = choose_first(s, o);
	if (err)
		return err;
	for (;;) {
		const struct plan *next = next_plan(s, o);

		err = load_plan(s, o);
		if (!err) {
			prove_plan(s, o);
			settle_kernel_check(s);
		}
		if (!next)
			break;
		if (!err && s->self_test.result != SELF_TEST_FAILED)
			break;
		if (err)
			warning("plan %s cannot be loaded: %s", s->plan->name, strerror(-err));
		warning("trying plan %s", next->name);
		tracer_close(s->tracer);
		s->tracer = NULL;
		s->plan = next;
	}
	if (err)
		return explain_refusal(err, "loading the tracing programs");
	release_memory(s);
	return 0;
}

void session_close(struct session *s)
{
	tracer_close(s->tracer);
	kernel_close(&s->kernel);
	s->tracer = NULL;
}
