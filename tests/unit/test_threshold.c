// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* --fail-above (report/threshold.c): what is lost decides only where it could change the answer. */
#include "report/threshold.h"
#include "said.h"

void err_json(FILE *json)
{
	assert_null(json);
}

static struct counters c;

struct row {
	const char *what;
	__u64 quiet, spurious, undetermined, map_full, skipped, children, anomalies, rehooks;
	double rate;
	int status;
	const char *why;
};

static const char missing_text[] = "--fail-above cannot be judged: ";

static void judged(void **state)
{
	static const struct row rows[] = {
		{ "below", .quiet = 999, .spurious = 1, .rate = 0.001, .status = EXIT_DONE },
		{ "above", .quiet = 998, .spurious = 2, .rate = 0.001, .status = EXIT_THRESHOLD,
		  .why = "a per-MM check would needlessly fail 0.2% of 1000 windows: more than 0.1%" },
		{ "none", .rate = 0.001, .status = EXIT_NOT_JUDGED,
		  .why = "--fail-above cannot be judged: no window reached a check" },
		{ "all are allowed", .spurious = 5, .rate = 1, .status = EXIT_DONE },
		{ "none is", .quiet = 1000000, .spurious = 1, .rate = 0, .status = EXIT_THRESHOLD },
		/* A thousand skipped runs beside a thousand windows. */
		{ "they could hide it", .quiet = 1000, .skipped = 1000, .rate = 0.001,
		  .status = EXIT_NOT_JUDGED,
		  .why = "--fail-above cannot be judged: 0 of 1000 windows are spurious, and up to 1000 are missing" },
		{ "nor were any seen", .skipped = 1, .rate = 0.001, .status = EXIT_NOT_JUDGED },
		{ "no place", .quiet = 1000, .map_full = 2, .rate = 0.001,
		  .status = EXIT_NOT_JUDGED },
		{ "undetermined", .quiet = 1000, .undetermined = 2, .rate = 0.001,
		  .status = EXIT_NOT_JUDGED },
		{ "too few to", .quiet = 2000, .undetermined = 2, .rate = 0.001,
		  .status = EXIT_DONE },
		{ "it is above with all of them", .quiet = 900, .spurious = 100, .skipped = 1000,
		  .rate = 0.04, .status = EXIT_THRESHOLD },
		{ "it might not be", .quiet = 900, .spurious = 100, .skipped = 1000, .rate = 0.06,
		  .status = EXIT_NOT_JUDGED },
		{ "children", .quiet = 1000, .children = 1, .rate = 1, .status = EXIT_NOT_JUDGED,
		  .why = "--fail-above cannot be judged: children of COMMAND are missing" },
		{ "others came", .quiet = 1000, .rehooks = 1, .rate = 1,
		  .status = EXIT_NOT_JUDGED },
		{ "or nobody can tell", .quiet = 1000, .rehooks = REHOOKS_UNTOLD, .rate = 1,
		  .status = EXIT_NOT_JUDGED },
		{ "anomalies", .quiet = 1000, .anomalies = 1, .rate = 1, .status = EXIT_NOT_JUDGED,
		  .why = "--fail-above cannot be judged: 1 anomalies" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];

		memset(&c, 0, sizeof(c));
		said[0] = '\0';
		c.totals.windows[KIND_ANON][CLASS_QUIET] = row->quiet;
		c.totals.windows[KIND_SHMEM][CLASS_UNRELATED] = row->spurious;
		c.totals.windows[KIND_ANON][CLASS_UNDETERMINED] = row->undetermined;
		c.totals.windows[KIND_ANON][CLASS_GONE] = 77; /* reached no check */
		c.totals.checks[CHECK_PER_MM_SEQ].spurious = row->spurious;
		c.totals.lost[LOST_MAP_FULL] = row->map_full;
		c.totals.anomalies = row->anomalies;
		c.rehooks = row->rehooks;
		c.skipped[COSTS_WINDOW] = row->skipped;
		c.skipped[COSTS_CHILD] = row->children;
		expect_u64(row->what, threshold_judge(&c, row->rate), row->status);
		if (row->why)
			expect_str(row->what, said, row->why);
		else if (row->status == EXIT_NOT_JUDGED)
			assert_memory_equal(said, missing_text, sizeof(missing_text) - 1);
		assert_true(!row->status == !said[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judged),
	};

	return cmocka_run_group_tests_name("threshold", tests, NULL, NULL);
}
