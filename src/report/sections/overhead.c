// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Runs and run time of each BPF program, counted by the kernel (BPF_ENABLE_STATS). The cost of a
 * hook outside its program is not in them: docs/evidence/overhead.md has it, in instructions.
 */
#include "report/sections/overhead.h"
#include "sys/json_lines.h"

static double share_of_a_cpu(const struct hook_state *h, const struct span *s)
{
	return s->elapsed_s > 0 ? (double)h->run_ns / 1e9 / s->elapsed_s : 0;
}

static double ns_a_run(const struct hook_state *h)
{
	return h->runs ? (double)h->run_ns / (double)h->runs : 0;
}

void text_overhead(const struct report *r, const struct span *s)
{
	double sum = 0;

	fprintf(r->out, "\n%-40s %11s %7s %9s %8s\n", "BPF programs, as the kernel counts them",
		"runs", "ns/run", "of a CPU", "skipped");
	for (int i = 0; i < r->nr_hooks; i++) {
		const struct hook_state *h = &r->hooks[i];

		if (!h->attached)
			continue;
		sum += share_of_a_cpu(h, s);
		if (h->runs)
			fprintf(r->out, "%-6s %-33.33s %11llu %7.0f %8.3f%% %8llu\n", h->variant,
				h->target, h->runs, ns_a_run(h), 100 * share_of_a_cpu(h, s),
				h->skipped);
	}
	fprintf(r->out, "%-40s %11s %7s %8.3f%%\n", "total", "", "", 100 * sum);
	fprintf(r->out,
		"excludes the kernel's entry to and exit from a program; includes the two clock\n"
		"reads per run that counting costs\n");
}

void json_overhead(struct json_object *o, const struct report *r, const struct span *s)
{
	struct json_object *list = json_array();

	for (int i = 0; i < r->nr_hooks; i++) {
		const struct hook_state *h = &r->hooks[i];
		struct json_object *row;

		if (!h->attached)
			continue;
		row = json_new();
		add_str(row, "name", h->target);
		add_str(row, "variant", h->variant);
		add_str(row, "why", h->why);
		add_u64(row, "runs", h->runs);
		add_u64(row, "run_ns", h->run_ns);
		add_double(row, "cpu_share", share_of_a_cpu(h, s));
		add_u64(row, "skipped", h->skipped);
		json_append(list, row);
	}
	add_value(o, "overhead", list);
}
