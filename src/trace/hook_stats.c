// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* What the kernel counts of each program: its runs, their time, and those it skipped. */
#include "trace/skip.h"
#include "trace/tracer.h"
#include "trace/tracer_private.h"

#include <bpf/bpf.h>
#include <string.h>
#include <unistd.h>

/* Of a hook without a program: 0. */
static int read_runs(const struct tracer *t, int hook, struct runs *runs)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int err = 0;

	if (t->programs[hook])
		err = bpf_obj_get_info_by_fd(bpf_program__fd(t->programs[hook]), &info, &len);
	*runs = (struct runs) { info.run_cnt, info.run_time_ns,
				info.recursion_misses + skip_missed(t, hook) };
	return err;
}

static void note_fired(struct tracer *t)
{
	for (int i = 0; i < t->nr_hooks; i++) {
		struct runs runs;

		if (t->hooks[i].attached && !read_runs(t, i, &runs))
			t->hooks[i].fired = runs.count ? FIRED_YES : FIRED_NEVER;
	}
}

static bool has_fired(const struct tracer *t, __u32 role)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (t->hooks[i].hook->roles & role && t->hooks[i].fired == FIRED_YES)
			return true;
	return false;
}

void tracer_watch_hooks(struct tracer *t, bool on)
{
	if (on) {
		t->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		return;
	}
	if (t->stats_fd < 0)
		return;
	note_fired(t);
	close(t->stats_fd);
	t->stats_fd = -1;
	/* A hook that never fired proves nothing. */
	if (!has_fired(t, ROLE_WITNESS))
		t->skel->bss->has_write_lock_hook = false;
}

int tracer_count_runs(struct tracer *t)
{
	t->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (t->stats_fd < 0)
		return t->stats_fd;
	/* The self-test's runs are counted already. */
	for (int i = 0; i < t->nr_hooks; i++) {
		int err = read_runs(t, i, &t->runs_before[i]);

		if (err)
			return err;
	}
	return 0;
}

/* The kernel skips a program, and counts that, when it is running, preempted, on the CPU. */
int read_missed(struct tracer *t, struct counters *c)
{
	c->recursion = 0;
	memset(c->skipped, 0, sizeof(c->skipped));
	for (int i = 0; i < t->nr_hooks; i++) {
		struct hook_state *h = &t->hooks[i];
		struct runs runs;
		int err = read_runs(t, i, &runs);

		if (err)
			return err;
		h->missed = runs.missed;
		h->runs = runs.count - t->runs_before[i].count;
		h->run_ns = runs.ns - t->runs_before[i].ns;
		h->skipped = runs.missed - t->runs_before[i].missed;
		c->recursion += runs.missed;
		c->skipped[h->hook->costs] += runs.missed;
	}
	return 0;
}

__u64 tracer_skipped(const struct tracer *t)
{
	__u64 skipped = 0;

	for (int i = 0; i < t->nr_hooks; i++) {
		struct runs runs;

		if (!read_runs(t, i, &runs))
			skipped += runs.missed;
	}
	return skipped;
}

__u64 missed_by(const struct tracer *t, __u32 role)
{
	__u64 missed = 0;

	for (int i = 0; i < t->nr_hooks; i++)
		if (t->hooks[i].hook->roles & role)
			missed += t->hooks[i].missed;
	return missed;
}

int tracer_hooks(const struct tracer *t, struct hook_state *hooks)
{
	memcpy(hooks, t->hooks, sizeof(t->hooks));
	return t->nr_hooks;
}
