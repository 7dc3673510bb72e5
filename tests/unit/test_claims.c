// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Each claim: what is counted for it, and what its numbers decide. */
#include "unit.h"
#include "canned.h"
#include "report/sections/claims.h"

static struct counters c;
static struct claim claims[NR_CLAIMS];

static const struct claim *claim(const char *name)
{
	claims_judge(&c, SEQ_COUNT, claims);
	for (int i = 0; i < NR_CLAIMS; i++)
		if (!strcmp(claims[i].name, name))
			return &claims[i];
	fail();
	return NULL;
}

static void expect(const char *name, __u64 number, __u64 of, const char *verdict)
{
	const struct claim *got = claim(name);

	expect_u64(name, got->number, number);
	expect_u64(name, got->of, of);
	assert_string_equal(got->verdict, verdict);
}

static void what_is_counted(void **state)
{
	canned_counters(&c);
	c.failures.retried = 501;
	c.failures.succeeded = 494;
	/*
	 * quiet 1102, and 3 more for each class after it: unrelated, locked, tolerated, replaced,
	 * hidden, false_alarm, real, gone
	 */
	expect("unrelated_writers", 1105, 8900, "supported");
	expect("no_problem_in_practice", 343, 8900, "not supported");
	expect("retry_just_succeeds", 494, 501, "not enough windows");
	expect("different_checks", 1105 + 1108 + 1111 + 1114 + 1117, 8900, "supported");
	expect("lock_is_no_change", 1108, 1108 + 1111 + 1114 + 1117 + 1120 + 1123, "supported");
	expect("spurious_locks_abort", 333, 8900, "supported");
	expect("race_is_possible", 1108 + 1111 + 1114 + 1117 + 1120 + 1123, 8900, "supported");
	expect("vma_really_changes", 1123 + 1117 + 1126, 8900 + 1126, "supported");
}

static void quiet_windows(__u64 quiet, __u64 unrelated)
{
	memset(&c, 0, sizeof(c));
	c.totals.windows[KIND_ANON][CLASS_QUIET] = quiet;
	c.totals.windows[KIND_ANON][CLASS_UNRELATED] = unrelated;
	c.totals.checks[CHECK_PER_MM_SEQ].eagain = unrelated;
	c.totals.checks[CHECK_PER_MM_SEQ].spurious = unrelated;
}

static void few_windows_decide_nothing(void **state)
{
	quiet_windows(2999, 0);
	expect("no_problem_in_practice", 0, 2999, "not enough windows");
	/* 3,000 windows can prove that it is rare; fewer can prove that it is not. */
	quiet_windows(1900, 100);
	expect("no_problem_in_practice", 100, 2000, "not supported");
	quiet_windows(2999, 0);
	expect("unrelated_writers", 0, 2999, "not enough windows");
	expect("race_is_possible", 0, 2999, "not enough windows");
	quiet_windows(0, 0);
	expect("no_problem_in_practice", 0, 0, "not enough windows");
	/* But one case shows that something happens. */
	quiet_windows(99, 1);
	expect("unrelated_writers", 1, 100, "supported");
	expect("no_problem_in_practice", 1, 100, "not enough windows");
}

/* 0 of 3,000 is below 0.1 %; more than 1 % is a problem; between them the data is undecided. */
static void rarity(void **state)
{
	quiet_windows(3000, 0);
	expect("no_problem_in_practice", 0, 3000, "supported");
	expect("unrelated_writers", 0, 3000, "not supported");
	quiet_windows(99900, 100);
	expect("no_problem_in_practice", 100, 100000, "undecided");
	quiet_windows(9000, 1000);
	expect("no_problem_in_practice", 1000, 10000, "not supported");
}

static void retries(void **state)
{
	memset(&c, 0, sizeof(c));
	c.failures.retried = 5000;
	c.failures.succeeded = 5000;
	expect("retry_just_succeeds", 5000, 5000, "supported");
	c.failures.succeeded = 4950;
	expect("retry_just_succeeds", 4950, 5000, "undecided");
	c.failures.succeeded = 4500;
	expect("retry_just_succeeds", 4500, 5000, "not supported");
	/* Copies that failed again without a window did not succeed. */
	c.failures.reissued = 90603;
	c.failures.reopened = 54;
	c.failures.succeeded = 502;
	expect("retry_just_succeeds", 502, 5000, "not supported");
}

static void without_vma_locks(void **state)
{
	int unmeasured = 0;

	canned_counters(&c);
	claims_judge(&c, SEQ_NONE, claims);
	for (int i = 0; i < NR_CLAIMS; i++) {
		if (claims[i].measured)
			continue;
		assert_string_equal(claims[i].verdict, "not on this kernel");
		unmeasured++;
	}
	assert_int_equal(unmeasured, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_counted),
		cmocka_unit_test(few_windows_decide_nothing),
		cmocka_unit_test(rarity),
		cmocka_unit_test(retries),
		cmocka_unit_test(without_vma_locks),
	};

	return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
