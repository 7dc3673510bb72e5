// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The histogram's buckets (hist.h): boundaries known in advance, and what must hold for every
 * value.
 */
#include "unit.h"
#include "lib/hist.h"

static const struct {
	const char *name;
	__u64 value;
	__u32 bucket;
	__u64 min, max;
} rows[] = {
	{ "0", 0, 0, 0, 0 },
	{ "1", 1, 1, 1, 1 },
	{ "2", 2, 2, 2, 2 },
	{ "3", 3, 3, 3, 3 },
	{ "4", 4, 4, 4, 4 },
	{ "5", 5, 5, 5, 5 },
	{ "6", 6, 6, 6, 6 },
	{ "7", 7, 7, 7, 7 },
	{ "8", 8, 8, 8, 9 },
	{ "9", 9, 8, 8, 9 },
	{ "15", 15, 11, 14, 15 },
	{ "16", 16, 12, 16, 19 },
	{ "1 us", 1000, 35, 896, 1023 },
	{ "1024", 1024, 36, 1024, 1279 },
	{ "1 ms", 1000000, 75, 917504, 1048575 },
	{ "1 s", 1000000000, 115, 939524096, 1073741823 },
	{ "last but one", 120259084287, 142, 103079215104, 120259084287 },
	{ "last", 120259084288, 143, 120259084288, UINT64_MAX },
	{ "200 s", 200000000000, 143, 120259084288, UINT64_MAX },
	{ "largest", UINT64_MAX, 143, 120259084288, UINT64_MAX },
};

static void known_boundaries(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_u64(rows[i].name, hist_bucket(rows[i].value), rows[i].bucket);
		expect_u64(rows[i].name, hist_min(rows[i].bucket), rows[i].min);
		expect_u64(rows[i].name, hist_max(rows[i].bucket), rows[i].max);
	}
}

static void check_value(__u64 v)
{
	__u32 b = hist_bucket(v);

	assert_true(b < HIST_BUCKETS);
	assert_true(hist_min(b) <= v);
	assert_true(v <= hist_max(b));
}

static void powers_of_two(void **state)
{
	for (int k = 0; k < 64; k++) {
		__u64 v = 1ULL << k;

		check_value(v - 1);
		check_value(v);
		check_value(v + 1);
		/* A power of two begins a bucket, as long as there are buckets. */
		if (k <= 36)
			assert_int_equal(hist_min(hist_bucket(v)), v);
		assert_int_equal(hist_log2(v), k);
		assert_int_equal(hist_log2(v | (v - 1)), k);
	}
}

static void buckets_cover_everything(void **state)
{
	assert_int_equal(hist_min(0), 0);
	for (__u32 b = 0; b < HIST_BUCKETS; b++) {
		assert_int_equal(hist_bucket(hist_min(b)), b);
		assert_int_equal(hist_bucket(hist_max(b)), b);
		if (b + 1 < HIST_BUCKETS)
			assert_int_equal(hist_min(b + 1), hist_max(b) + 1);
	}
	assert_int_equal(hist_max(HIST_BUCKETS - 1), UINT64_MAX);
}

static void monotone(void **state)
{
	__u32 last = 0;

	for (__u64 v = 0; v < 1 << 20; v++) {
		assert_true(hist_bucket(v) == last || hist_bucket(v) == last + 1);
		last = hist_bucket(v);
	}
}

static void at_most_a_quarter_wide(void **state)
{
	for (__u32 b = 1; b + 1 < HIST_BUCKETS; b++)
		assert_true(4 * (hist_max(b) + 1 - hist_min(b)) <= hist_min(b) ||
			    hist_max(b) == hist_min(b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_boundaries),	    cmocka_unit_test(powers_of_two),
		cmocka_unit_test(buckets_cover_everything), cmocka_unit_test(monotone),
		cmocka_unit_test(at_most_a_quarter_wide),
	};

	return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
