// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Choosing the plan that works here: see session.h. */
#include "trace/session.h"
#include "sys/can_trace.h"
#include "sys/err.h"
#include "sys/signals.h"
#include "counters/counters.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

static const char *const result_names[] = {
	[SELF_TEST_NOT_RUN] = "off",
	[SELF_TEST_PASSED] = "passed",
	[SELF_TEST_FAILED] = "failed",
	[SELF_TEST_SKIPPED] = "skipped",
};

static int no_usable_plan(const struct session *s)
{
	const struct plan *nearest = plan_nearest(&s->kernel);
	char missing[256];

	if (!s->kernel.has_uffd)
		return fail(EXIT_ERROR, "use a kernel with CONFIG_USERFAULTFD=y",
			    "this kernel has no userfaultfd");
	plan_missing(&s->kernel, nearest, missing, sizeof(missing));
	return fail(EXIT_ERROR, "open an issue, with the output of uffdretry --probe -j attached",
		    "no usable plan on this kernel: the nearest, %s, lacks %s", nearest->name,
		    missing);
}

static int load_plan(struct session *s, const struct options *o)
{
	const struct tracer_config cfg = {
		.kernel = &s->kernel,
		.plan = s->plan,
		.all = o->all,
		.pids = o->nr_pids,
		.follow_forks = o->command,
		.writers = !o->no_writers,
		.witness = o->witness || o->probe, /* --probe shows every hook */
		.events = options_read_events(o),
		.relock = o->relock || o->probe,
		.stacks = o->stacks,
		.by = o->by,
	};
	int err = tracer_open(&s->tracer, &cfg);

	if (!err)
		err = tracer_attach(s->tracer);
	if (!err && !tracer_sees_rehooks(s->tracer))
		note_unmeasured(&s->kernel,
				"calls lost to other BPF programs (perf events refused)");
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

static void prove_plan(struct session *s)
{
	const struct self_test *test = &s->self_test;

	signals_let_in(false); /* it has a thread of its own */
	self_test(s->tracer, &s->kernel, &s->self_test);
	signals_let_in(true);
	if (test->result == SELF_TEST_PASSED) {
		verbose("self-test of plan %s passed: %d windows in %.1f ms", s->plan->name,
			test->windows, (double)test->took_ns / 1e6);
		report_silent_hooks(s);
	} else {
		warning("self-test of plan %s %s: %s", s->plan->name, result_names[test->result],
			test->why);
	}
}

/* Which check the kernel has: by its answers in the self-test, else the snapshot, which 7.1 has. */
static void settle_kernel_check(struct session *s)
{
	enum check check = s->self_test.result == SELF_TEST_PASSED ? s->self_test.inferred_check
								   : CHECK_SNAPSHOT;

	if (!s->kernel.has_check) {
		s->kernel_check_name = "none";
		return;
	}
	tracer_set_kernel_check(s->tracer, check);
	s->kernel_check_name = check < NR_CHECKS ? check_names[check] : "unknown";
	if (check == NR_CHECKS)
		warning("this kernel's check after the retry is none that uffdretry knows");
}

/* Load, attach and test @s->plan. Returns 0, also when the self-test fails, or a negative errno. */
static int try_plan(struct session *s, const struct options *o)
{
	int err = load_plan(s, o);

	if (err)
		return err;
	if (o->self_test != SELF_TEST_OFF)
		prove_plan(s);
	s->self_test_name = result_names[s->self_test.result];
	settle_kernel_check(s);
	return 0;
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
	return fail(EXIT_ERROR, "without --plan uffdretry chooses one",
		    "plan %s cannot run here: this kernel's BTF lacks %s", s->plan->name, missing);
}

/* Try @s->plan and its successors; keep the last whatever it does. 0 or a negative errno. */
static int try_plans(struct session *s, const struct options *o)
{
	for (;;) {
		const struct plan *next = next_plan(s, o);
		int err = try_plan(s, o);

		/* EAGAIN: signals stopped the verifier, which is no fault of the plan. */
		if (!next || err == -EAGAIN || (!err && s->self_test.result != SELF_TEST_FAILED))
			return err;
		if (err)
			warning("plan %s cannot be loaded: %s", s->plan->name, strerror(-err));
		warning("trying plan %s", next->name);
		tracer_close(s->tracer);
		s->tracer = NULL;
		s->plan = next;
	}
}

/* Give back what only loading needed: 5 MiB of BTF, and more that libbpf made of it. */
static void release_memory(struct session *s)
{
	kernel_close(&s->kernel);
	malloc_trim(0);
}

static int open_session(struct session *s, const struct options *o)
{
	int err;

	memset(s, 0, sizeof(*s));
	if (o->plan && !plan_by_name(o->plan))
		return fail(EXIT_USAGE, "uffdretry --probe lists the plans", "no such plan: %s",
			    o->plan);
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
	err = try_plans(s, o);
	if (err)
		return explain_refusal(err, "loading the tracing programs");
	release_memory(s);
	return 0;
}

int session_open(struct session *s, const struct options *o)
{
	/* From here on a signal ends with a summary, and the verifier and BTF take their time. */
	signals_catch();
	signals_let_in(true);
	return open_session(s, o);
}

void session_close(struct session *s)
{
	tracer_close(s->tracer);
	kernel_close(&s->kernel);
	s->tracer = NULL;
}
