// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The table of targets (counters/by.c): what is first, what is summed, and that nothing is lost. */
#include "counters/by.h"
#include "unit.h"

#include <stdlib.h>

static struct by_table *now, *then;
static struct by_list l;

static int set_up(void **state)
{
	now = calloc(1, sizeof(*now));
	then = calloc(1, sizeof(*then));
	now->nr = then->nr = 1;
	return !now || !then;
}

static int tear_down(void **state)
{
	free(now);
	free(then);
	return 0;
}

/* A row of @t for the target @id, whose windows took @ns. */
static void add_row(struct by_table *t, __u32 id, __u64 calls, __u64 eagain, __u64 windows,
		    __u64 needless, __u64 ns)
{
	struct by_row *row = &t->rows[t->nr++];

	row->used = 1;
	row->key = (struct by_key) { .id = 1000 + id, .tgid = id };
	row->pid = id;
	row->counts = (struct by_counts) {
		.calls = calls, .eagain = eagain, .windows = windows, .needless = needless
	};
	row->counts.lengths[by_bucket(ns)] = windows;
}

/* Within a quarter. */
static void expect_length(const char *what, __u64 got, __u64 want)
{
	expect_near(what, (double)got, (double)want, (double)want / 4);
}

static void expect_order(const __u32 *pids, int nr)
{
	expect_u64("lines", l.nr, nr);
	for (int i = 0; i < nr; i++)
		expect_u64("pid", l.lines[i].who->pid, pids[i]);
}

/* EAGAIN, then needless, then windows, then calls, then who came first. */
static void most_important_first(void **state)
{
	add_row(now, 1, 900, 0, 0, 0, 0);
	add_row(now, 2, 1, 0, 1, 0, 1000);
	add_row(now, 3, 900, 0, 0, 0, 0);
	add_row(now, 4, 1, 0, 1, 1, 1000);
	add_row(now, 5, 1, 1, 0, 0, 0);
	add_row(now, 6, 950, 0, 0, 0, 0);
	add_row(now, 7, 0, 0, 0, 0, 0); /* nothing was counted */
	by_list_make(&l, now, NULL, BY_SHOWN);
	expect_order((const __u32[]) { 5, 4, 2, 6, 1, 3 }, 6);
	expect_u64("others", l.others, 0);
	expect_u64("other", l.other.calls + l.other.windows, 0);
}

/* What is beyond @max, and what found no row, is in the other line. */
static void the_others_are_summed(void **state)
{
	now->rows[0].counts =
		(struct by_counts) { .calls = 7, .eagain = 5, .windows = 3, .needless = 2 };
	now->rows[0].counts.lengths[by_bucket(1000)] = 3;
	for (__u32 id = 1; id <= BY_ROWS; id++)
		add_row(now, id, id, 0, 2, 1, 1000000);
	now->unseen = 11;
	by_list_make(&l, now, NULL, 2);
	expect_order((const __u32[]) { BY_ROWS, BY_ROWS - 1 }, 2);
	expect_u64("others", l.others, BY_ROWS - 2);
	expect_u64("calls", l.other.calls, 7 + (BY_ROWS - 2) * (BY_ROWS - 1) / 2);
	expect_u64("eagain", l.other.eagain, 5);
	expect_u64("windows", l.other.windows, 3 + 11 + 2 * (BY_ROWS - 2));
	expect_u64("needless", l.other.needless, 2 + BY_ROWS - 2);
	expect_length("p99", l.other.p99_ns, 1000000);
	by_list_make(&l, now, NULL, BY_SHOWN);
	expect_u64("lines", l.nr, BY_SHOWN);
	by_list_make(&l, now, NULL, BY_ROWS + 1);
	expect_u64("lines", l.nr, BY_ROWS);
	expect_u64("calls", l.other.calls, 7);
	expect_u64("windows", l.other.windows, 3 + 11);
	expect_length("p99", l.other.p99_ns, 1000);
}

/* The row that another CPU was faster to make is nobody's. */
static void an_unused_row_is_no_target(void **state)
{
	add_row(now, 1, 4, 0, 0, 0, 0);
	add_row(now, 2, 0, 0, 0, 0, 0);
	now->rows[2].used = 0;
	by_list_make(&l, now, NULL, BY_SHOWN);
	expect_order((const __u32[]) { 1 }, 1);
}

static void an_interval_is_the_difference(void **state)
{
	add_row(then, 1, 10, 4, 6, 2, 1000);
	add_row(then, 2, 10, 4, 6, 2, 1000);
	add_row(now, 1, 13, 5, 8, 3, 1000);
	add_row(now, 2, 10, 4, 6, 2, 1000);
	add_row(now, 3, 9, 0, 1, 0, 500000); /* came since */
	now->rows[1].counts.lengths[by_bucket(1000)] = 6;
	now->rows[1].counts.lengths[by_bucket(90000)] = 2;
	now->unseen = then->unseen = 40;
	by_list_make(&l, now, then, BY_SHOWN);
	expect_order((const __u32[]) { 1, 3 }, 2);
	expect_u64("calls", l.lines[0].calls, 3);
	expect_u64("eagain", l.lines[0].eagain, 1);
	expect_u64("windows", l.lines[0].windows, 2);
	expect_u64("needless", l.lines[0].needless, 1);
	expect_length("p99", l.lines[0].p99_ns, 90000);
	expect_length("p99", l.lines[1].p99_ns, 500000);
	expect_u64("other", l.other.windows, 0);
	expect_u64("other", l.other.p99_ns, 0);
}

/* A window counted between the reading of the two is in doubt, and not needless yet. */
static void read_while_a_window_is_counted(void **state)
{
	add_row(now, 1, 10, 0, 1, 0, 1000);
	now->rows[1].counts.doubtful = 1;
	now->doubtful = 1;
	by_list_make(&l, now, NULL, 10);
	expect_u64("needless", l.lines[0].needless, 0);
}

/*
 * 5 windows of all that are needless turn out to be undetermined. The target with 3 in doubt has
 * 3 less, the one with 7 has 5 less: 3 that stay needless are of nobody.
 */
static void windows_in_doubt_are_certainly_nobodys(void **state)
{
	add_row(now, 1, 20, 0, 20, 10, 1000);
	add_row(now, 2, 20, 0, 20, 10, 1000);
	add_row(now, 3, 20, 0, 20, 10, 1000);
	now->rows[1].counts.doubtful = 3;
	now->rows[2].counts.doubtful = 7;
	now->doubtful = 5;
	by_list_make(&l, now, NULL, BY_SHOWN);
	expect_order((const __u32[]) { 3, 1, 2 }, 3);
	expect_u64("certain", l.lines[0].needless, 10);
	expect_u64("three", l.lines[1].needless, 7);
	expect_u64("five", l.lines[2].needless, 5);
	expect_u64("other", l.other.needless, 3);
	/* 30 counted, less 5 */
	expect_u64("sum", 10 + 7 + 5 + 3, 30 - 5);
}

/* What is cut goes where the others are; what their windows' lengths were is then not known. */
static void cutting_loses_nothing_but_the_p99(void **state)
{
	for (__u32 id = 1; id <= 5; id++)
		add_row(now, id, 100, 10 - id, 7, 3, 1000);
	by_list_make(&l, now, NULL, 4);
	by_list_cut(&l, 4);
	expect_u64("nothing to cut: others", l.others, 1);
	expect_length("nothing to cut", l.other.p99_ns, 1000);
	by_list_cut(&l, 2);
	expect_order((const __u32[]) { 1, 2 }, 2);
	expect_u64("others", l.others, 3);
	expect_u64("calls", l.other.calls, 300);
	expect_u64("EAGAIN", l.other.eagain, 7 + 6 + 5);
	expect_u64("windows", l.other.windows, 21);
	expect_u64("needless", l.other.needless, 9);
	expect_u64("p99", l.other.p99_ns, 0);
}

/* One window in a hundred may be longer. */
static void p99_is_of_the_bucket(void **state)
{
	static const struct {
		__u64 n, ns, more_n, more_ns, p99;
	} rows[] = {
		{ 99, 10000, 1, 5000000, 10000 },
		{ 98, 10000, 2, 5000000, 5000000 },
		{ 1, 300, 0, 0, 300 },
		{ 3, 100, 2, 40000000000ULL, 40000000000ULL },
		{ 1, 7ULL << 36, 0, 0, 6ULL << 34 }, /* open: its begin */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char row[32];
		__u64 *lengths = now->rows[1].counts.lengths;

		snprintf(row, sizeof(row), "row %zu", i);
		now->nr = 1;
		memset(&now->rows[1], 0, sizeof(now->rows[1]));
		add_row(now, 1, 100, 0, rows[i].n, 0, rows[i].ns);
		lengths[by_bucket(rows[i].more_ns)] += rows[i].more_n;
		by_list_make(&l, now, NULL, BY_SHOWN);
		expect_length(row, l.lines[0].p99_ns, rows[i].p99);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(most_important_first),
		TEST(the_others_are_summed),
		TEST(an_unused_row_is_no_target),
		TEST(an_interval_is_the_difference),
		TEST(read_while_a_window_is_counted),
		TEST(windows_in_doubt_are_certainly_nobodys),
		TEST(cutting_loses_nothing_but_the_p99),
		TEST(p99_is_of_the_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
