/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Canned counters, a canned run and a window of it, for the tests of the reports. */
#ifndef CANNED_H
#define CANNED_H

#include "lib/hist.h"
#include "report/report.h"
#include "counters/counters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const canned_hook_names[] = { "mfill_atomic_copy", "sched_process_fork" };
static const char *const canned_hook_variants[] = { "fexit", "tp_btf" };
static const char *const canned_unmeasured[] = { "writers", "chains", NULL };

static inline struct report canned_report(FILE *out)
{
	return (struct report) {
		.out = out,
		.plan = "retry_state",
		.exactness = "exact",
		.exact = true,
		.bounds_begin = true,
		.self_test = "passed",
		.kernel_check = "snapshot",
		.hooks = {
			{ .target = canned_hook_names[0], .variant = canned_hook_variants[0], .why = "a reason", .attached = true, .missed = 21,
			  .skipped = 19, .runs = 4000, .run_ns = 1250000 },
			{ .target = canned_hook_names[1], .variant = canned_hook_variants[1], .why = "another", .missed = 22 },
		},
		.nr_hooks = 2,
		.unmeasured = canned_unmeasured,
		.seq = SEQ_COUNT,
	};
}

static const struct event canned_window = {
	.begin_ns = 1,
	.window_ns = 2500,
	.relock_ns = 1500,
	.dst = 0x7f1234567000,
	.verdict = {
		.class = CLASS_TOLERATED,
		.tolerated_reasons = 1U << TOLERATED_DIFF_RANGE | 1U << TOLERATED_DIFF_PROT,
		.reached = 0x3f,
		.eagain = 1U << CHECK_PER_VMA_SEQ | 1U << CHECK_PER_MM_SEQ,
		.odd_start = 1,
	},
	.pid = 41,
	.tid = 42,
	.kind = KIND_SHMEM,
	.external = 1,
	.comm = "handler",
};

/* For tests/unit/schema.t, which holds all records of the tests to the JSON schema. */
static inline void keep_records(const char *text)
{
	const char *name = getenv("RECORDS");
	FILE *file = name ? fopen(name, "a") : NULL;

	if (!file)
		return;
	fputs(text, file);
	fclose(file);
}

/* Distinct numbers everywhere, so that no member can be mistaken for another. */
static inline void canned_counters(struct counters *c)
{
	struct totals *t = &c->totals;

	memset(c, 0, sizeof(*c));
	t->calls = 5003;
	t->bytes = 4096ULL * 4999;
	t->returned[0] = 4990;
	t->returned[EAGAIN] = 9;
	t->returned[ENOENT] = 4;
	for (__u32 i = 0; i < NR_CLASSES; i++) {
		t->windows[KIND_ANON][i] = 101 + i;
		t->windows[KIND_SHMEM][i] = 1001 + 2 * i;
		c->hists[KIND_ANON][i].count[hist_bucket(1000)] = 101 + i;
		c->hists[KIND_SHMEM][i].count[hist_bucket(1000000)] = 1001 + 2 * i;
	}
	for (__u32 i = 0; i < NR_SNAPSHOT_REASONS; i++)
		t->snapshot_reasons[i] = 201 + i;
	for (__u32 i = 0; i < NR_MEANING_REASONS; i++)
		t->meaning_reasons[i] = 211 + i;
	for (__u32 i = 0; i < NR_TOLERATED_REASONS; i++)
		t->tolerated_reasons[i] = 221 + i;
	for (__u32 i = 0; i < NR_CHECKS; i++)
		t->checks[i] = (struct check_totals) { 301 + 10 * i, 302 + 10 * i, 303 + 10 * i,
						       304 + 10 * i, 305 + 10 * i };
	t->kernel_seen = 404;
	t->kernel_absent = 405;
	t->kernel_raced = 406;
	t->begin_bounded = 406;
	t->begin_moved = 407;
	t->passed_ns = 4000000000;
	t->passed_steps = 8431;
	t->held = 432;
	t->held_ns = 432 * 43300;
	t->odd_start = 401;
	t->file_unsure = 408;
	t->external = 402;
	t->anomalies = 403;
	t->lost[LOST_WINDOWS] = 411;
	t->lost[LOST_MAP_FULL] = 412;
	t->lost[LOST_EVENTS] = 415;
	t->lost[LOST_CHANGING_EVENTS] = 416;
	t->lost[LOST_COPY_EVENTS] = 417;
	for (__u32 i = 0; i < NR_SITES; i++)
		c->failures.failed[FAIL_EAGAIN][i] = 501 + i;
	c->failures.failed[FAIL_EEXIST][SITE_PAGE] = 517;
	c->failures.stopped[FAIL_ENOENT][SITE_RELOCK] = 521;
	c->failures.short_bytes[FAIL_ENOENT] = 522;
	c->failures.fills[FILL_MOVE].ok = 531;
	c->failures.fills[FILL_MOVE].mmap_changing = 532;
	c->failures.fills[FILL_MOVE].failed[FAIL_EINVAL] = 533;
	c->failures.fills[FILL_ZEROPAGE].failed[FAIL_EAGAIN] = 534;
	c->failures.raised = 541;
	c->failures.refused = 542;
	c->failures.refused_unseen = 543;
	c->failures.refused_stuck = 544;
	c->failures.holders_lost = 545;
	for (__u32 i = 0; i < NR_CHANGING_OPS; i++) {
		c->failures.op_raised[i] = 601 + i;
		c->failures.op_held_ns[i] = 1000000000 * (611ULL + i);
		c->failures.op_refused[i] = 621 + i;
	}
	c->failures.chains = 551;
	c->failures.chains_ended = 552;
	c->failures.chains_lost = 553;
	c->failures.chain_lost_ns = 554;
	c->failures.reissued = 555;
	c->failures.reopened = 556;
	c->failures.retried = 559;
	c->failures.succeeded = 560;
	c->chains_open = 557;
	c->chain_longest = CHAIN_WORD(558, FAIL_EAGAIN, SITE_CHECK);
	c->recursion = 413;
	c->rehooks = 426;
	for (__u64 i = 0; i < NR_SKIP_COSTS; i++)
		c->skipped[i] = 420 + i;
	c->open = 414;
}

/* Ten writers; the one of id 3 wrote most, and has a name that no terminal should see. */
static inline const struct writer_entry *canned_writers(struct counters *c)
{
	static struct writer_entry entries[MAX_WRITERS];

	for (__u32 i = 0; i < 10; i++) {
		entries[i] = (struct writer_entry) {
			.key = { .nr = 11, .tgid = 4000 + i, .comm = "munmapper" }, .used = true
		};
		c->writers[i] = (struct writer_counts) { 20 - i, 30 - i };
	}
	entries[3].key =
		(struct writer_key) { .nr = 28, .sub = 10, .tgid = 4294967295U, .covers = 1 };
	memcpy(entries[3].key.comm,
	       "\x1b[2J\xff"
	       "56789abcdef",
	       sizeof(entries[3].key.comm));
	entries[3].start = 0x7f0000000000;
	entries[3].end = 0x7f0000001000;
	c->writers[3] = (struct writer_counts) { 1801, 18446744073709551615ULL };
	c->totals.writers = (struct writer_totals) { .windows = 1901,
						     .sections = 1902,
						     .unseen = 1903,
						     .unseen_windows = 1904,
						     .other = 1905 };
	return entries;
}

#endif /* CANNED_H */
