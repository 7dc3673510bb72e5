// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The places of tasks (src/task_slot.h): as many at once as the tool promises, whatever their tids;
 * each is found again, nobody finds another's, and all are free in the end.
 */
#include "unit.h"
#include "task_slot.h"

#include <stdbool.h>
#include <stdlib.h>

#define PROMISED 4096	/* windows open at once */
#define TIDS (1U << 22) /* PID_MAX_LIMIT */
#define SEEDS 300

static __u32 tids[PROMISED];
static __u32 places[PROMISED];
static bool used[TIDS + 1];

static __u32 random_number(__u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (__u32)(*seed >> 33);
}

static __u32 new_tid(__u64 *seed)
{
	__u32 tid;

	do
		tid = random_number(seed) % TIDS;
	while (!tid || used[tid]);
	used[tid] = true;
	return tid;
}

static void take(enum task_table table, int i)
{
	places[i] = task_slot_take(table, tids[i]);
	assert_in_range(places[i], 0, NR_TASK_SLOTS - 1);
}

static void release(enum task_table table, int i)
{
	task_slot_release(table, tids[i], places[i]);
	used[tids[i]] = false;
}

/* Each task has the place that it took, and takes no second one. */
static void all_are_found(enum task_table table)
{
	for (int i = 0; i < PROMISED; i++) {
		assert_int_equal(task_slot_find(table, tids[i]), places[i]);
		assert_int_equal(task_slot_take(table, tids[i]), places[i]);
	}
}

static void all_is_free(void)
{
	for (size_t i = 0; i < COUNT(task_slots); i++) {
		assert_int_equal(task_slots[i].tid, 0);
		assert_int_equal(task_slots[i].moved, 0);
	}
}

static void random_tids_all_have_a_place(void **state)
{
	for (__u64 round = 0; round < SEEDS; round++) {
		enum task_table table = round % NR_TASK_TABLES;
		__u64 seed = round;

		for (int i = 0; i < PROMISED; i++) {
			tids[i] = new_tid(&seed);
			take(table, i);
		}
		all_are_found(table);
		for (int i = 0; i < PROMISED; i++)
			release(table, i);
		all_is_free();
	}
}

/* Tids a power of two apart, and neighbours. */
static void regular_tids_all_have_a_place(void **state)
{
	for (__u32 stride = 1; stride <= TIDS / PROMISED; stride++) {
		for (__u32 i = 0; i < PROMISED; i++) {
			tids[i] = (i + 1) * stride;
			take(TASK_WINDOW, (int)i);
		}
		for (int i = 0; i < PROMISED; i++)
			release(TASK_WINDOW, i);
	}
	all_is_free();
}

/* Tasks come and go: none loses its place because another gave back one before it in its row. */
static void the_places_survive_a_change_of_tasks(void **state)
{
	__u64 seed = 1;

	for (int i = 0; i < PROMISED; i++) {
		tids[i] = new_tid(&seed);
		take(TASK_COPY_STOP, i);
	}
	for (int change = 0; change < 200 * PROMISED; change++) {
		int i = (int)(random_number(&seed) % PROMISED);

		release(TASK_COPY_STOP, i);
		assert_int_equal(task_slot_find(TASK_COPY_STOP, tids[i]), NR_TASK_SLOTS);
		tids[i] = new_tid(&seed);
		assert_int_equal(task_slot_find(TASK_COPY_STOP, tids[i]), NR_TASK_SLOTS);
		take(TASK_COPY_STOP, i);
	}
	all_are_found(TASK_COPY_STOP);
	for (int i = 0; i < PROMISED; i++)
		release(TASK_COPY_STOP, i);
	all_is_free();
}

/* Nearly every lookup reads one place. */
static void most_live_at_home(void **state)
{
	int at_home = 0;

	for (__u32 i = 0; i < 256; i++) {
		tids[i] = 1000000 + i;
		take(TASK_WINDOW, (int)i);
		at_home += places[i] == task_slot_place(tids[i], 0);
	}
	for (int i = 0; i < 256; i++)
		release(TASK_WINDOW, i);
	assert_in_range(at_home, 240, 256);
}

/* A full table refuses, and loses nobody. */
static void a_full_table_says_so(void **state)
{
	static __u32 in[NR_TASK_SLOTS], where[NR_TASK_SLOTS];
	__u32 nr = 0, refused = 0;

	for (__u32 tid = 1; tid <= NR_TASK_SLOTS + 100; tid++) {
		__u32 place = task_slot_take(TASK_WINDOW, tid);

		if (place == NR_TASK_SLOTS) {
			refused++;
			continue;
		}
		in[nr] = tid;
		where[nr++] = place;
	}
	assert_true(refused >= 100);
	assert_true(nr > NR_TASK_SLOTS * 9 / 10);
	for (__u32 i = 0; i < nr; i++) {
		assert_int_equal(task_slot_find(TASK_WINDOW, in[i]), where[i]);
		task_slot_release(TASK_WINDOW, in[i], where[i]);
	}
	all_is_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_tids_all_have_a_place),
		cmocka_unit_test(regular_tids_all_have_a_place),
		cmocka_unit_test(the_places_survive_a_change_of_tasks),
		cmocka_unit_test(most_live_at_home),
		cmocka_unit_test(a_full_table_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
