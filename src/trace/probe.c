// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* --probe: what BTF says of each plan, then a real try. */
#include "trace/probe.h"
#include "sys/can_trace.h"
#include "sys/err.h"
#include "sys/json_lines.h"
#include "sys/output.h"
#include "sys/rights.h"
#include "trace/session.h"
#include "version.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

struct facts {
	struct utsname uts;
	const char *missing_caps;
	const char *lockdown;
	bool btf;
	struct kernel kernel;
	bool kernel_read;		    /* @kernel is valid */
	struct session session;		    /* the real try: the tool as it would start */
	struct hook_state hooks[MAX_HOOKS]; /* of @session */
	int nr_hooks;
	int tried; /* exit status of the real try; 0: it works */
};

/* The state of @h in the real try; NULL: its plan was not tried. */
static const struct hook_state *tried_hook(struct facts *f, const struct hook *h)
{
	for (int i = 0; i < f->nr_hooks; i++)
		if (f->hooks[i].hook == h)
			return &f->hooks[i];
	return NULL;
}

static const char *state_name(struct facts *f, const struct hook *h)
{
	const struct hook_state *s = tried_hook(f, h);

	if (!hook_in_btf(&f->kernel, h))
		return "missing";
	if (s && s->no_address)
		return "no symbol";
	if (s && hook_is_silent(s))
		return "silent";
	return s && s->attached ? "attached" : "in BTF";
}

static void text_plans(struct facts *f, FILE *out)
{
	for (const struct plan *p = plans; p->name; p++) {
		fprintf(out, "plan %s (%s): %s\n", p->name, p->exactness,
			plan_possible(&f->kernel, p) ? "possible" : "not on this kernel");
		for (const struct hook *h = hook_table; h->target; h++)
			if (plan_has(p, h) && !hook_replaced(&f->kernel, h))
				fprintf(out, "  %-9s %-6.6s %-26s %s\n", state_name(f, h),
					h->variant, h->target, h->why);
	}
	for (int i = 0; f->kernel.unmeasured[i]; i++)
		fprintf(out, "not measured: %s\n", f->kernel.unmeasured[i]);
}

static const char *all_there(void)
{
	return in_user_namespace() ? "all there, but only in a user namespace" : "all there";
}

static int print_text(struct facts *f, FILE *out)
{
	fprintf(out, "uffdretry     %s, libbpf %u.%u\n", UFFDRETRY_VERSION, libbpf_major_version(),
		libbpf_minor_version());
	fprintf(out, "kernel        %s %s\n", f->uts.release, f->uts.machine);
	fprintf(out, "capabilities  %s%s\n", f->missing_caps[0] ? "missing " : all_there(),
		f->missing_caps);
	fprintf(out, "lockdown      %s\n", f->lockdown);
	fprintf(out, "BTF           %s\n", f->btf ? "yes" : "no");
	if (f->kernel_read)
		text_plans(f, out);
	fprintf(out, "result        %s", f->tried ? "does not work here" : "works");
	if (!f->tried)
		fprintf(out, ": plan %s, self-test %s, %d windows", f->session.plan->name,
			f->session.self_test_name, f->session.self_test.windows);
	fputc('\n', out);
	return fflush(out) || ferror(out) ? -1 : 0;
}

static struct json_object *hook_json(struct facts *f, const struct hook *h)
{
	const struct hook_state *s = tried_hook(f, h);
	struct json_object *hook = json_new();

	add_str(hook, "name", h->target);
	add_str(hook, "variant", h->variant);
	add_bool(hook, "in_btf", hook_in_btf(&f->kernel, h));
	add_bool(hook, "attached", s && s->attached);
	if (s && s->fired != FIRED_UNKNOWN)
		add_bool(hook, "fired", s->fired == FIRED_YES);
	else
		add_null(hook, "fired");
	add_bool(hook, "required", h->roles & ROLE_REQUIRED && !hook_replaced(&f->kernel, h));
	return hook;
}

static struct json_object *plans_json(struct facts *f)
{
	struct json_object *list = json_array();

	for (const struct plan *p = plans; p->name; p++) {
		struct json_object *plan = json_new(), *hooks = json_array();

		add_str(plan, "name", p->name);
		add_bool(plan, "exact", p->exact);
		add_bool(plan, "possible", plan_possible(&f->kernel, p));
		for (const struct hook *h = hook_table; h->target; h++)
			if (plan_has(p, h))
				json_append(hooks, hook_json(f, h));
		add_value(plan, "hooks", hooks);
		json_append(list, plan);
	}
	return list;
}

static int print_json(struct facts *f, FILE *out)
{
	struct json_object *o = json_new();

	add_str(o, "type", "probe");
	add_u64(o, "schema", JSON_SCHEMA);
	add_str(o, "version", UFFDRETRY_VERSION);
	add_str(o, "kernel", f->uts.release);
	add_str(o, "arch", f->uts.machine);
	add_str(o, "missing_capabilities", f->missing_caps);
	add_str(o, "lockdown", f->lockdown);
	add_bool(o, "btf", f->btf);
	if (f->kernel_read)
		add_value(o, "plans", plans_json(f));
	else
		add_null(o, "plans");
	add_bool(o, "works", !f->tried);
	add_str(o, "plan", f->tried ? NULL : f->session.plan->name);
	add_str(o, "self_test", f->tried ? NULL : f->session.self_test_name);
	return json_write(out, o);
}

/* Returns 0, or -1 with errno set. */
static int print_facts(struct facts *f, bool json, FILE *out, struct output *output)
{
	if (output_begin(output) || (json ? print_json(f, out) : print_text(f, out)))
		return -1;
	output_is_whole(output);
	return output_end(output) || output_reached(out) ? -1 : 0;
}

int probe(const struct options *o, FILE *out, struct output *output)
{
	struct facts f = {};
	int err;

	err_json(NULL); /* the one JSON object tells what is wrong */
	uname(&f.uts);
	f.missing_caps = missing_capabilities();
	f.lockdown = lockdown_mode();
	f.btf = has_btf();
	err = f.btf ? kernel_open(&f.kernel) : 0;
	f.kernel_read = f.btf && !err;
	if (err)
		warning("cannot read the kernel's BTF, so no plan is listed: %s", strerror(-err));
	f.tried = session_open(&f.session, o);
	/* Also after a failure: the report is the user's file. */
	f.tried = rights_drop() ?: f.tried;
	if (f.session.tracer)
		f.nr_hooks = tracer_hooks(f.session.tracer, f.hooks);
	session_close(&f.session);
	err = print_facts(&f, o->json, out, output) ? errno ?: EIO : 0;
	if (f.kernel_read)
		kernel_close(&f.kernel);
	if (err)
		output_cut(output);
	/* A reader that stops (head) has what it wants. */
	if (err && err != EPIPE)
		return fail(EXIT_ERROR, NULL, "cannot write the report: %s", strerror(err));
	return f.tried || f.session.self_test.result == SELF_TEST_FAILED ? EXIT_ERROR : EXIT_DONE;
}
