// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Each rule of the advice: what makes it speak, with which words, and when it is silent. */
#include "unit.h"
#include "report/sections/advice.h"

#include <errno.h>
#include <string.h>

#define SYS_MADVISE 28
#define DONTNEED 4

static struct counters c;
static struct holder_row holder;
static const struct span span = { .counters = &c, .holders = &holder, .nr_holders = 1 };
static struct advice list[MAX_ADVICE];

static void nothing(void)
{
	memset(&c, 0, sizeof(c));
	holder = (struct holder_row) {
		.who = { .op = CHANGING_REMOVE,
			 .tgid = 4200,
			 .syscall = SYS_MADVISE,
			 .advice = DONTNEED,
			 .comm = "vmm\033[2J" },
		.totals = { .tid = 4242 },
	};
	c.totals.calls = 100000;
}

/* The advice of @rule, or NULL. */
static const char *says(const char *rule)
{
	int nr = advise(&span, list);

	for (int i = 0; i < nr; i++)
		if (!strcmp(list[i].rule, rule))
			return list[i].text;
	return NULL;
}

static void expect(const char *rule, const char *text)
{
	const char *got = says(rule);

	if (!got || strcmp(got, text))
		expect_str(rule, text, got ? got : "(silent)");
}

static void silent_without_evidence(void **state)
{
	nothing();
	assert_int_equal(advise(&span, list), 0);
	/* One case too few for each rule. */
	c.failures.failed[FAIL_EAGAIN][SITE_ENTRY] = 9;
	c.failures.failed[FAIL_EAGAIN][SITE_SHORT] = 9;
	c.failures.failed[FAIL_EAGAIN][SITE_CHECK] = 9;
	c.failures.stopped[FAIL_EEXIST][SITE_PAGE] = 9;
	c.failures.failed[FAIL_EEXIST][SITE_PAGE] = 999;
	c.failures.refused_stuck = 9;
	c.totals.windows[KIND_ANON][CLASS_FALSE_ALARM] = 9;
	holder.totals.refused = 9;
	assert_int_equal(advise(&span, list), 0);
}

static void a_pending_event(void **state)
{
	nothing();
	c.failures.failed[FAIL_EAGAIN][SITE_ENTRY] = 800;
	c.failures.failed[FAIL_EAGAIN][SITE_LOCK] = 8;
	c.failures.failed[FAIL_EAGAIN][SITE_RELOCK] = 4;
	c.failures.failed[FAIL_EAGAIN][SITE_PAGE] = 3;
	holder.totals.refused = 812;
	/* A task chooses its name. */
	expect("pending_event",
	       "812 of 815 EAGAIN: a REMOVE event was pending (madvise(MADV_DONTNEED) of vmm?[2J (pid 4200)); "
	       "read the event queue before retrying");
	/* Some were refused by a holder that nobody saw. */
	c.failures.refused = 812;
	holder.totals.refused = 811;
	expect("pending_event",
	       "812 of 815 EAGAIN: an event, most often REMOVE, was pending (madvise(MADV_DONTNEED) of "
	       "vmm?[2J (pid 4200)); read the event queue before retrying");
	/* A rule needs a tenth of all. */
	c.failures.failed[FAIL_EAGAIN][SITE_CHECK] = 100000;
	assert_null(says("pending_event"));
	/* The holder is unknown. */
	c.failures.failed[FAIL_EAGAIN][SITE_CHECK] = 0;
	holder.totals.refused = 0;
	assert_null(says("pending_event"));
}

static void stuck(void **state)
{
	nothing();
	c.failures.failed[FAIL_EAGAIN][SITE_ENTRY] = 50;
	c.failures.refused_stuck = 50;
	holder.totals.refused = 1;
	assert_non_null(says("stuck"));
	assert_non_null(
		strstr(says("stuck"), "50 calls were refused although no event is pending"));
	/* No pending event explains these. */
	assert_null(says("pending_event"));
}

static void short_copies(void **state)
{
	nothing();
	c.failures.failed[FAIL_EAGAIN][SITE_SHORT] = 20;
	c.failures.stopped[FAIL_EEXIST][SITE_PAGE] = 15;
	c.failures.stopped[FAIL_ENOENT][SITE_RELOCK] = 5;
	expect("short_copies",
	       "20 of 20 EAGAIN are short copies, 15 of them stopped by EEXIST: `copy` says how many "
	       "bytes were copied, continue after them, skip the page that exists, and wake its waiters");
}

static void the_check(void **state)
{
	nothing();
	c.failures.failed[FAIL_EAGAIN][SITE_CHECK] = 30;
	c.totals.windows[KIND_SHMEM][CLASS_REAL] = 18;
	c.totals.windows[KIND_SHMEM][CLASS_FALSE_ALARM] = 12;
	assert_non_null(strstr(says("changed_mapping"),
			       "18 of 30 EAGAIN: the destination was remapped or registered anew"));
	assert_non_null(strstr(says("false_alarms"), "12 of 30 EAGAIN are needless"));
	/* A kernel without a check lets these windows pass, which is worse. */
	c.failures.failed[FAIL_EAGAIN][SITE_CHECK] = 0;
	c.totals.checks[CHECK_KERNEL].missed = 18;
	assert_null(says("false_alarms"));
	assert_non_null(
		strstr(says("wrong_page"), "18 copies went to an address that meant another page"));
}

static void one_wrong_page_is_enough(void **state)
{
	nothing();
	c.totals.windows[KIND_SHMEM][CLASS_HIDDEN] = 1;
	c.totals.checks[CHECK_KERNEL].missed = 1;
	assert_non_null(strstr(says("wrong_page"),
			       "1 copies went to an address that meant another page by then, and"));
	c.totals.meaning_reasons[MEANING_DIFF_CTX] = 1;
	assert_non_null(strstr(says("wrong_page"),
			       "then (1: the range was registered with another userfaultfd), and"));
	/* The reasons could belong to the others now. */
	c.totals.windows[KIND_SHMEM][CLASS_REAL] = 1;
	assert_null(strstr(says("wrong_page"), "userfaultfd"));
}

static void eexist(void **state)
{
	nothing();
	c.failures.failed[FAIL_EEXIST][SITE_PAGE] = 1000;
	assert_non_null(strstr(says("wake_after_eexist"),
			       "1000 of 100000 copies found that the page exists (EEXIST)"));
}

static void unmapped_source(void **state)
{
	nothing();
	c.totals.bytes = 4096 * 1000;
	c.totals.windows[KIND_ANON][CLASS_QUIET] = 499;
	assert_null(says("unmapped_source"));
	c.totals.windows[KIND_ANON][CLASS_QUIET] = 500;
	assert_non_null(strstr(says("unmapped_source"), "500 retry windows for 1000 pages"));
}

/* The most pressing five, in this order. */
static void at_most_five(void **state)
{
	static const char *const order[] = { "stuck", "pending_event", "wrong_page", "short_copies",
					     "changed_mapping" };

	nothing();
	c.failures.failed[FAIL_EAGAIN][SITE_ENTRY] = 200;
	c.failures.failed[FAIL_EAGAIN][SITE_SHORT] = 100;
	c.failures.failed[FAIL_EAGAIN][SITE_CHECK] = 200;
	c.failures.failed[FAIL_EEXIST][SITE_PAGE] = 50000;
	c.failures.refused_stuck = 100;
	c.totals.windows[KIND_ANON][CLASS_HIDDEN] = 1;
	c.totals.checks[CHECK_KERNEL].missed = 1;
	c.totals.windows[KIND_ANON][CLASS_REAL] = 100;
	c.totals.windows[KIND_ANON][CLASS_FALSE_ALARM] = 100;
	holder.totals.refused = 100;
	assert_int_equal(advise(&span, list), MAX_ADVICE);
	for (int i = 0; i < MAX_ADVICE; i++)
		assert_string_equal(list[i].rule, order[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_without_evidence),
		cmocka_unit_test(a_pending_event),
		cmocka_unit_test(stuck),
		cmocka_unit_test(short_copies),
		cmocka_unit_test(the_check),
		cmocka_unit_test(one_wrong_page_is_enough),
		cmocka_unit_test(eexist),
		cmocka_unit_test(unmapped_source),
		cmocka_unit_test(at_most_five),
	};

	return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
