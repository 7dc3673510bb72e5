// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What `uffdload native` counts and sorts: copies that meet calls, and quantiles.
#include "unit.h"

#include "native/samples.c"
#include "native/stamps.c"

static void fill(struct stamps *stamps, const struct stamp *from, size_t nr)
{
	size_t i;

	assert_int_equal(stamps_create(stamps, nr + 1), 0);
	for (i = 0; i < nr; i++)
		assert_true(stamps_add(stamps, from[i].begin, from[i].end));
}

/* Bounds are inclusive: a clock tells equal times for what it cannot tell apart. */
static void test_overlapping(void **state)
{
	static const struct stamp copied[] = {
		{ 10, 20 }, { 30, 40 }, { 50, 60 }, { 70, 80 }, { 90, 95 }
	};
	static const struct stamp first[] = { { 1, 9 }, { 20, 25 }, { 41, 49 }, { 55, 75 } };
	static const struct stamp second[] = { { 32, 34 }, { 36, 38 }, { 58, 59 } };
	struct stamps copies, calls[2];

	fill(&copies, copied, 5);
	fill(&calls[0], first, 4);
	fill(&calls[1], second, 3);
	assert_int_equal(stamps_overlapping(&copies, calls, 0), 0);
	assert_int_equal(stamps_overlapping(&copies, calls, 1), 3);
	assert_int_equal(stamps_overlapping(&copies, calls + 1, 1), 2);
	/* A copy that meets both writers counts once. */
	assert_int_equal(stamps_overlapping(&copies, calls, 2), 4);
}

static void test_full(void **state)
{
	struct stamps stamps;

	assert_int_equal(stamps_create(&stamps, 2), 0);
	assert_true(stamps_add(&stamps, 1, 2));
	assert_false(stamps_add(&stamps, 3, 4));
	assert_int_equal(stamps.nr, 2);
}

static uint64_t member(struct json_object *object, const char *name)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, name, &value));
	return json_object_get_uint64(value);
}

/* 1 to 100, the largest first. */
static void test_quantiles(void **state)
{
	struct samples samples;
	struct json_object *object, *hist;
	uint64_t i;

	assert_int_equal(samples_create(&samples, 100), 0);
	assert_null(samples_json(&samples));
	assert_true(isnan(samples_mean(&samples)));
	for (i = 100; i; i--)
		samples_add(&samples, i);
	samples_add(&samples, 1000); /* no room */
	object = samples_json(&samples);
	assert_int_equal(member(object, "count"), 100);
	assert_int_equal(member(object, "min"), 1);
	assert_int_equal(member(object, "p50"), 50);
	assert_int_equal(member(object, "p90"), 90);
	assert_int_equal(member(object, "p99"), 99);
	assert_int_equal(member(object, "max"), 100);
	assert_non_null(strstr(json_object_to_json_string(object), "\"mean\": 50.5"));
	assert_true(json_object_object_get_ex(object, "hist", &hist));
	/* 96 to 111 is the last bucket that has any: 96 ... 100. */
	hist = json_object_array_get_idx(hist, json_object_array_length(hist) - 1);
	assert_int_equal(json_object_get_int(json_object_array_get_idx(hist, 0)), 96);
	assert_int_equal(json_object_get_int(json_object_array_get_idx(hist, 1)), 5);
	json_object_put(object);
	samples_destroy(&samples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlapping),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_quantiles),
	};

	return cmocka_run_group_tests_name("stamps", tests, NULL, NULL);
}
