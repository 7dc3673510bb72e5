// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Arithmetic on counters (counters.c): sums, differences, quantiles, Wilson's interval, causes. */
#include "unit.h"
#include "lib/hist.h"
#include "counters/counters.h"

#include <errno.h>

/* windows[kind][class] = 100 * kind + class: every sum differs from every other. */
static struct totals numbered(void)
{
	struct totals t = {};

	for (__u64 kind = 0; kind < NR_KINDS; kind++)
		for (__u64 c = 0; c < NR_CLASSES; c++)
			t.windows[kind][c] = 100 * kind + c;
	return t;
}

static void sums(void **state)
{
	const struct totals t = numbered(), none = {};

	assert_int_equal(windows_of_class(&t, CLASS_QUIET), 300);
	assert_int_equal(windows_of_class(&t, CLASS_REAL), 321);
	assert_int_equal(windows_of_class(&t, CLASS_UNDETERMINED), 333);
	assert_int_equal(windows_total(&t), 3600 + 3 * 66);
	/* Less gone, blocked, aborted and undetermined: 324 + 327 + 330 + 333. */
	assert_int_equal(windows_reached(&t), 3798 - 1314);
	assert_int_equal(windows_total(&none), 0);
	assert_int_equal(windows_reached(&none), 0);
}

static void only_these_never_reach_a_check(void **state)
{
	for (__u32 c = 0; c < NR_CLASSES; c++) {
		struct totals t = {};

		t.windows[KIND_SHMEM][c] = 7;
		expect_u64(class_names[c], windows_reached(&t), c < CLASS_GONE ? 7 : 0);
	}
}

static void differences(void **state)
{
	static struct counters then, now, diff;

	then.totals.calls = 5;
	now.totals.calls = 12;
	then.totals.returned[EAGAIN] = 1;
	now.totals.returned[EAGAIN] = 4;
	now.totals.returned[RETURNED_OTHER] = 2;
	then.totals.windows[KIND_SHMEM][CLASS_REAL] = 1ULL << 63;
	now.totals.windows[KIND_SHMEM][CLASS_REAL] = UINT64_MAX;
	then.hists[KIND_ANON][CLASS_QUIET].count[0] = 10;
	now.hists[KIND_ANON][CLASS_QUIET].count[0] = 11;
	then.hists[KIND_HUGETLB][CLASS_UNDETERMINED].count[HIST_BUCKETS - 1] = 100;
	now.hists[KIND_HUGETLB][CLASS_UNDETERMINED].count[HIST_BUCKETS - 1] = 103;
	then.recursion = 1;
	now.recursion = 3;
	then.rehooks = now.rehooks = REHOOKS_UNTOLD;
	then.open = 9;
	now.open = 4;
	then.chains_open = 3;
	now.chains_open = 2;
	then.chain_longest = CHAIN_WORD(8, FAIL_EAGAIN, SITE_RELOCK);
	now.chain_longest = CHAIN_WORD(9, FAIL_EAGAIN, SITE_LOCK);
	then.skipped[COSTS_WINDOW] = 2; /* at most; they have been seen since */
	now.skipped[COSTS_WINDOW] = 1;
	then.skipped[COSTS_CALL] = 5;
	now.skipped[COSTS_CALL] = 8;
	counters_sub(&diff, &now, &then);
	assert_int_equal(diff.totals.calls, 7);
	assert_int_equal(diff.totals.returned[EAGAIN], 3);
	assert_int_equal(diff.totals.returned[RETURNED_OTHER], 2);
	assert_true(diff.totals.windows[KIND_SHMEM][CLASS_REAL] == (1ULL << 63) - 1);
	assert_int_equal(diff.hists[KIND_ANON][CLASS_QUIET].count[0], 1);
	assert_int_equal(diff.hists[KIND_HUGETLB][CLASS_UNDETERMINED].count[HIST_BUCKETS - 1], 3);
	assert_int_equal(diff.recursion, 2);
	assert_true(diff.rehooks == REHOOKS_UNTOLD);
	assert_int_equal(diff.skipped[COSTS_WINDOW], 0);
	assert_int_equal(diff.skipped[COSTS_CALL], 3);
	assert_int_equal(diff.open, 4); /* a state, not a count */
	assert_int_equal(diff.chains_open, 2);
	assert_true(diff.chain_longest == CHAIN_WORD(9, FAIL_EAGAIN, SITE_LOCK)); /* of the run */
	assert_int_equal(diff.totals.bytes, 0);
}

static void histograms_by_class(void **state)
{
	static struct counters c;
	struct hist h;

	c.hists[KIND_ANON][CLASS_QUIET].count[3] = 1;
	c.hists[KIND_SHMEM][CLASS_QUIET].count[3] = 10;
	c.hists[KIND_HUGETLB][CLASS_QUIET].count[4] = 100;
	c.hists[KIND_SHMEM][CLASS_REAL].count[3] = 1000;
	hist_of_class(&c, CLASS_QUIET, &h);
	assert_int_equal(h.count[3], 11);
	assert_int_equal(h.count[4], 100);
	assert_int_equal(hist_count(&h), 111);
	hist_of_class(&c, CLASS_REAL, &h);
	assert_int_equal(hist_count(&h), 1000);
	hist_of_class(&c, CLASS_LOCKED, &h);
	assert_int_equal(hist_count(&h), 0);
	hist_of_class(&c, NR_CLASSES, &h);
	assert_int_equal(h.count[3], 1011);
	assert_int_equal(hist_count(&h), 1111);
}

/* Two buckets: @n0 durations of 3 ns, and @n1 of 896 ... 1023 ns, whose middle is 959. */
static const struct {
	const char *name;
	__u64 n0, n1;
	double q;
	__u64 want;
} quantile_rows[] = {
	{ "empty", 0, 0, 0.5, 0 },
	{ "one, lowest", 1, 0, 0, 3 },
	{ "one, middle", 1, 0, 0.5, 3 },
	{ "one, highest", 1, 0, 1, 3 },
	{ "median of two", 1, 1, 0.5, 3 },
	{ "just above the median", 1, 1, 0.51, 959 },
	{ "highest of two", 1, 1, 1, 959 },
	{ "p99, 99 of 100 short", 99, 1, 0.99, 3 },
	{ "p99, 98 of 100 short", 98, 2, 0.99, 959 },
	{ "lowest of many", 1, 1000000, 0, 3 },
	{ "p50 of many", 1, 1000000, 0.5, 959 },
	{ "more than a double can count", (1ULL << 54) - 1, 0, 1, 3 },
	{ "as many as there can be", UINT64_MAX, 0, 1, 3 },
};

static void quantiles(void **state)
{
	for (size_t i = 0; i < COUNT(quantile_rows); i++) {
		struct hist h = {};

		h.count[3] = quantile_rows[i].n0;
		h.count[hist_bucket(1000)] = quantile_rows[i].n1;
		expect_u64(quantile_rows[i].name, hist_quantile(&h, quantile_rows[i].q),
			   quantile_rows[i].want);
	}
}

/* The last bucket is open above: its lower bound stands for its values. */
static void quantile_in_the_open_bucket(void **state)
{
	struct hist h = {};

	h.count[HIST_BUCKETS - 1] = 5;
	assert_int_equal(hist_quantile(&h, 0.5), 120259084288);
}

/* Within 12.5 % of any value: the promise of hist.h. */
static void quantile_error(void **state)
{
	for (__u64 v = 1; v < 120259084288; v += v / 7 + 1) {
		struct hist h = {};
		__u64 got;

		h.count[hist_bucket(v)] = 1;
		got = hist_quantile(&h, 0.5);
		assert_true(8 * (got > v ? got - v : v - got) <= v);
	}
}

/*
 * Four decimals: Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table
 * I, method 3. n of n is n / (n + z^2) ... 1; none of n is the rule of three.
 */
static const struct {
	const char *name;
	__u64 k, n;
	double low, high, error;
} wilson_rows[] = {
	{ "0 of 0", 0, 0, 0, 1, 0 },
	{ "0 of 1", 0, 1, 0, 1, 0 },
	{ "0 of 3", 0, 3, 0, 1, 0 },
	{ "0 of 6", 0, 6, 0, 0.5, 0 },
	{ "0 of 3000", 0, 3000, 0, 0.001, 0 },
	{ "81 of 263", 81, 263, 0.2553, 0.3662, 5e-5 },
	{ "15 of 148", 15, 148, 0.0624, 0.1605, 5e-5 },
	{ "1 of 29", 1, 29, 0.0061, 0.1718, 5e-5 },
	{ "5 of 100", 5, 100, 0.0215436791544, 0.111750469232, 1e-12 },
	{ "50 of 100", 50, 100, 0.403831530366, 0.596168469634, 1e-12 },
	{ "1 of 1", 1, 1, 0.206549314377, 1, 1e-12 },
	{ "10 of 10", 10, 10, 0.722467200137, 1, 1e-12 },
	{ "1 of 1000000", 1, 1000000, 1.76524576745e-07, 5.66491180431e-06, 1e-15 },
	{ "half of 2^64", 1ULL << 63, UINT64_MAX, 0.5, 0.5, 1e-9 },
};

static void wilson_intervals(void **state)
{
	for (size_t i = 0; i < COUNT(wilson_rows); i++) {
		double low = -1, high = -1;

		wilson(wilson_rows[i].k, wilson_rows[i].n, &low, &high);
		expect_near(wilson_rows[i].name, low, wilson_rows[i].low, wilson_rows[i].error);
		expect_near(wilson_rows[i].name, high, wilson_rows[i].high, wilson_rows[i].error);
		assert_true(low >= 0 && high <= 1);
	}
}

/* Each cause has a site of its own. */
static void causes(void **state)
{
	static const struct {
		enum fail_site site;
		const char *cause;
	} rows[] = {
		{ SITE_ENTRY, "entry_mmap_changing" },
		{ SITE_LOCK, "lock_mmap_changing" },
		{ SITE_REFUSED, "vma_lock" },
		{ SITE_SOURCE, "unknown" },
		{ SITE_RELOCK, "relock_mmap_changing" },
		{ SITE_CHECK, "snapshot" },
		{ SITE_PAGE, "pte" },
		{ SITE_RESULT, "unknown" },
		{ SITE_SHORT, "short_copy" },
		{ SITE_UNKNOWN, "unknown" },
	};

	assert_int_equal(COUNT(rows), NR_SITES);
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_str(site_names[rows[i].site], cause_names[cause_of_site(rows[i].site)],
			   rows[i].cause);
}

static void sums_of_failures(void **state)
{
	struct failures f = {};

	f.failed[FAIL_EAGAIN][SITE_ENTRY] = 1;
	f.failed[FAIL_EAGAIN][SITE_RESULT] = 2;
	f.failed[FAIL_EAGAIN][SITE_UNKNOWN] = 4;
	f.failed[FAIL_ENOENT][SITE_ENTRY] = 8;
	f.stopped[FAIL_ENOENT][SITE_RELOCK] = 16;
	f.stopped[FAIL_ENOENT][SITE_LOCK] = 32;
	expect_u64("entry", failures_of_cause(&f, CAUSE_ENTRY_MMAP_CHANGING), 1);
	expect_u64("unknown", failures_of_cause(&f, CAUSE_UNKNOWN), 6);
	expect_u64("EAGAIN", failures_of_errno(&f, FAIL_EAGAIN), 7);
	expect_u64("ENOENT", failures_of_errno(&f, FAIL_ENOENT), 8);
	expect_u64("stops", stops_of_errno(&f, FAIL_ENOENT), 48);
}

static void the_longest_chain(void **state)
{
	__u64 word = CHAIN_WORD(1ULL << 40, FAIL_EAGAIN, SITE_RELOCK);

	expect_u64("length", CHAIN_LENGTH(word), 1ULL << 40);
	expect_str("cause", chain_cause_name(word), "relock_mmap_changing");
	expect_str("errno", chain_cause_name(CHAIN_WORD(1, FAIL_ENOENT, SITE_LOCK)), "ENOENT");
	assert_null(chain_cause_name(0));
	/* The programs compare words by length: a longer chain is greater, whatever its cause. */
	assert_true(CHAIN_LENGTH(CHAIN_WORD(2, 0, 0)) > CHAIN_LENGTH(CHAIN_WORD(1, 255, 255)));
}

/* The examples of Newcombe's paper (Statistics in Medicine 17, 1998, table II), method 10. */
static void differences_of_shares(void **state)
{
	static const struct {
		const char *name;
		__u64 k[2], n[2];
		double low, high;
	} table[] = {
		{ "56/70 - 48/80", { 48, 56 }, { 80, 70 }, 0.0524, 0.3339 },
		{ "9/10 - 3/10", { 3, 9 }, { 10, 10 }, 0.1705, 0.8090 },
		{ "6/7 - 2/7", { 2, 6 }, { 7, 7 }, 0.0582, 0.8062 },
		{ "5/56 - 0/29", { 0, 5 }, { 29, 56 }, -0.0381, 0.1926 },
		{ "0/10 - 0/20", { 0, 0 }, { 20, 10 }, -0.1611, 0.2775 },
		{ "10/10 - 0/20", { 0, 10 }, { 20, 10 }, 0.6791, 1 },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		double low, high;

		newcombe(table[i].k, table[i].n, &low, &high);
		expect_near(table[i].name, low, table[i].low, 5e-5);
		expect_near(table[i].name, high, table[i].high, 5e-5);
	}
}

/* Computed elsewhere, from the binomial distribution; 0 and n + 1: there is none. */
static void ranks_of_quantiles(void **state)
{
	static const struct {
		const char *name;
		__u64 n;
		double q;
		__u64 low, high;
	} table[] = {
		{ "one", 1, 0.5, 0, 2 },
		{ "five", 5, 0.5, 0, 6 },
		{ "six", 6, 0.5, 1, 6 },
		{ "hundred", 100, 0.5, 40, 61 },
		{ "too few", 367, 0.99, 359, 368 },
		{ "just enough", 368, 0.99, 360, 368 },
		{ "p99", 1000, 0.99, 983, 997 },
		{ "normal", 100000000, 0.5, 49990200, 50009800 },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		__u64 low, high;

		quantile_ranks(table[i].n, table[i].q, &low, &high);
		expect_u64(table[i].name, low, table[i].low);
		expect_u64(table[i].name, high, table[i].high);
	}
	/* Whatever a record says, this ends. */
	quantile_ranks(~0ULL >> 1, 0.99, &(__u64) { 0 }, &(__u64) { 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_of_quantiles),
		cmocka_unit_test(sums),
		cmocka_unit_test(only_these_never_reach_a_check),
		cmocka_unit_test(differences),
		cmocka_unit_test(histograms_by_class),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(quantile_in_the_open_bucket),
		cmocka_unit_test(quantile_error),
		cmocka_unit_test(wilson_intervals),
		cmocka_unit_test(differences_of_shares),
		cmocka_unit_test(causes),
		cmocka_unit_test(sums_of_failures),
		cmocka_unit_test(the_longest_chain),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
