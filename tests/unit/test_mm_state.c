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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_window_no_record),
		cmocka_unit_test(a_while_after_the_last_window),
		cmocka_unit_test(a_long_window_knows_all_writers),
		cmocka_unit_test(a_long_window_knows_a_late_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
