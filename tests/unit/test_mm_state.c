// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* When write sections of an mm are recorded (src/mm_state.h), by a clock of the test. */
#include "mm_state.h"
#include "unit.h"

#define START 4294900000ULL /* jiffies begin shortly before 2^32 */
#define TEN_MINUTES 600000  /* at HZ=1000: ten times WATCH_JIFFIES */

static void open_window(struct mm_state *mm, __u64 now)
{
	mm->open++;
	mm_watch(mm, now);
}

/* What section_record() asks. */
static bool is_recorded(struct mm_state *mm, __u64 now)
{
	return mm_may_be_watched(mm) && mm_is_watched(mm, now);
}

static void no_window_no_record(void **state)
{
	struct mm_state mm = {};

	assert_false(is_recorded(&mm, START));
}

static void a_while_after_the_last_window(void **state)
{
	struct mm_state mm = {};

	open_window(&mm, START);
	mm.open--;
	assert_true(is_recorded(&mm, START + WATCH_JIFFIES - 1));
	assert_false(is_recorded(&mm, START + WATCH_JIFFIES));
	assert_false(mm_may_be_watched(&mm));
	/* What was recorded before is not of this watch. */
	open_window(&mm, START + TEN_MINUTES);
	assert_true(is_recorded(&mm, START + TEN_MINUTES));
	assert_int_equal(mm.watched_since, START + TEN_MINUTES);
}

static void a_long_window_knows_all_writers(void **state)
{
	struct mm_state mm = {};

	open_window(&mm, START);
	for (__u64 now = START; now < START + TEN_MINUTES; now += 77)
		assert_true(is_recorded(&mm, now));
	assert_int_equal(mm.watched_since, START);
}

/* Also one that comes when none has come for long: nobody has asked meanwhile. */
static void a_long_window_knows_a_late_writer(void **state)
{
	struct mm_state mm = {};

	open_window(&mm, START);
	open_window(&mm, START + 1);
	mm.open--;
	assert_true(is_recorded(&mm, START + TEN_MINUTES));
	assert_int_equal(mm.watched_since, START);
	mm.open--;
	assert_true(is_recorded(&mm, START + TEN_MINUTES + WATCH_JIFFIES - 1));
	assert_false(is_recorded(&mm, START + TEN_MINUTES + WATCH_JIFFIES));
}

#define TAG 0x12340040U
#define OTHER_TAG 0x12340080U
#define IMAGE 77000000000U

static void expect_passed_of(struct mm_state *mm, __u32 tag, __u64 image, __u32 seq, __u64 now,
			     __u64 ns, __u64 steps)
{
	struct mm_passed passed = mm_passed(mm, tag, image, seq, now);

	assert_int_equal(passed.ns, ns);
	assert_int_equal(passed.steps, steps);
}

static void expect_passed(struct mm_state *mm, __u32 tag, __u32 seq, __u64 now, __u64 ns,
			  __u64 steps)
{
	expect_passed_of(mm, tag, IMAGE, seq, now, ns, steps);
}

/* Once a jiffy the time and the number are read: what lies between two readings is counted. */
static void what_passes_between_windows(void **state)
{
	struct mm_state mm = {};

	assert_true(mm_watch(&mm, START));
	expect_passed(&mm, TAG, 0xfffffffe, 5000, 0, 0);
	assert_false(mm_watch(&mm, START));
	assert_true(mm_watch(&mm, START + 3));
	expect_passed(&mm, TAG, 4, 12000, 7000, 6); /* the number wraps */
	assert_true(mm_watch(&mm, START + WATCH_JIFFIES + 2));
	expect_passed(&mm, TAG, 4, 90000, 78000, 0);
	/* Nobody looked for long: a new watch, also if no writer came and ended the old one. */
	assert_true(mm_watch(&mm, START + 2 * WATCH_JIFFIES + 2));
	expect_passed(&mm, TAG, 400, 900000, 0, 0);
	/* Another mm of the same hash, or the run after the self-test. */
	assert_true(mm_watch(&mm, START + 2 * WATCH_JIFFIES + 3));
	expect_passed(&mm, OTHER_TAG, 77, 900100, 0, 0);
	expect_passed(&mm, OTHER_TAG, 79, 900130, 30, 2);
}

/* The kernel gives the address of an mm that is gone to that of another process. */
static void another_mm_at_the_same_address(void **state)
{
	struct mm_state mm = {};

	expect_passed_of(&mm, TAG, IMAGE, 40000, 1000, 0, 0);
	expect_passed_of(&mm, TAG, IMAGE + 1, 60, 2000, 0, 0);
	expect_passed_of(&mm, TAG, IMAGE + 1, 64, 2500, 500, 4);
}

/* A CPU that comes late gives back what the one before took too much. */
static void overtaken_by_another_cpu(void **state)
{
	struct mm_state mm = {};
	struct mm_passed passed;
	__u64 ns = 0, steps = 0;

	expect_passed(&mm, TAG, 10, 1000, 0, 0);
	for (int i = 0; i < 3; i++) {
		passed = mm_passed(&mm, TAG, IMAGE, i == 1 ? 14 : 20 + 2 * i,
				   i == 1 ? 1400 : 2000 + i);
		ns += passed.ns;
		steps += passed.steps;
	}
	assert_int_equal(ns, 1002);
	assert_int_equal(steps, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_window_no_record),
		cmocka_unit_test(a_while_after_the_last_window),
		cmocka_unit_test(a_long_window_knows_all_writers),
		cmocka_unit_test(a_long_window_knows_a_late_writer),
		cmocka_unit_test(what_passes_between_windows),
		cmocka_unit_test(another_mm_at_the_same_address),
		cmocka_unit_test(overtaken_by_another_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
