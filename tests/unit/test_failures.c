// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Causes of failures: the pure functions that the BPF programs and the reports share. */
#include "counters/failures.h"
#include "unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static void errnos(void **state)
{
	static const int known[] = { EAGAIN, EEXIST, ENOENT, EFAULT, ENOMEM, EINVAL, ESRCH, ENOSPC, EINTR };

	(void)state;
	for (__u32 i = 0; i < COUNT(known); i++)
		expect_str(strerrorname_np(known[i]), fail_errno_names[fail_errno_of((__u32)known[i])],
			   strerrorname_np(known[i]));
	expect_u64("EIO", fail_errno_of(EIO), FAIL_OTHER);
	expect_u64("0", fail_errno_of(0), FAIL_OTHER);
}

/* Nothing was tried: what the tests under the first lock return, and what only the page's own tables do. */
static void untried(void **state)
{
	(void)state;
	expect_u64("EAGAIN", site_untried(FAIL_EAGAIN), SITE_LOCK);
	expect_u64("ENOENT", site_untried(FAIL_ENOENT), SITE_LOCK);
	expect_u64("EINVAL", site_untried(FAIL_EINVAL), SITE_LOCK);
	expect_u64("EEXIST", site_untried(FAIL_EEXIST), SITE_PAGE);
	expect_u64("ENOMEM", site_untried(FAIL_ENOMEM), SITE_PAGE);
	expect_u64("EFAULT", site_untried(FAIL_EFAULT), SITE_PAGE);
}

/* Each cause has a site of its own, and mmap_changing explains three. */
static void causes(void **state)
{
	static const struct {
		enum fail_site site;
		const char *cause;
		int refusal;
	} rows[] = {
		{ SITE_ENTRY, "entry_mmap_changing", 1 }, { SITE_LOCK, "lock_mmap_changing", 1 },
		{ SITE_REFUSED, "vma_lock", 0 },	  { SITE_SOURCE, "unknown", 0 },
		{ SITE_RELOCK, "relock_mmap_changing", 1 }, { SITE_CHECK, "snapshot", 0 },
		{ SITE_PAGE, "pte", 0 },		  { SITE_RESULT, "unknown", 0 },
		{ SITE_SHORT, "short_copy", 0 },	  { SITE_UNKNOWN, "unknown", 0 },
	};

	(void)state;
	assert_int_equal(COUNT(rows), NR_SITES);
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_str(site_names[rows[i].site], cause_names[cause_of_site(rows[i].site)], rows[i].cause);
		expect_u64(rows[i].cause, is_refusal(FAIL_EAGAIN, rows[i].site), rows[i].refusal);
		expect_u64(rows[i].cause, is_refusal(FAIL_ENOENT, rows[i].site), 0);
	}
}

static void sums(void **state)
{
	struct failures f = {};

	(void)state;
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

static void names(void **state)
{
	(void)state;
	expect_str("madvise", syscall_name(SYS_madvise), "madvise");
	expect_str("munmap", syscall_name(SYS_munmap), "munmap");
	assert_null(syscall_name(-1));
	assert_null(syscall_name(SYS_read));
	expect_str("DONTNEED", advice_name(MADV_DONTNEED), "DONTNEED");
	assert_null(advice_name(-1));
}

static void longest(void **state)
{
	__u64 word = CHAIN_WORD(1ULL << 40, FAIL_EAGAIN, SITE_RELOCK);

	(void)state;
	expect_u64("length", CHAIN_LENGTH(word), 1ULL << 40);
	expect_str("cause", chain_cause_name(word), "relock_mmap_changing");
	expect_str("errno", chain_cause_name(CHAIN_WORD(1, FAIL_ENOENT, SITE_LOCK)), "ENOENT");
	assert_null(chain_cause_name(0));
	/* Longer is greater, whatever the cause: words are compared by length only. */
	assert_true(CHAIN_LENGTH(CHAIN_WORD(2, 0, 0)) > CHAIN_LENGTH(CHAIN_WORD(1, 255, 255)));
}

/* As madvise(2) has them, also those that this machine's headers may lack. */
static void advice_by_name(void **state)
{
	static const struct {
		int advice;
		const char *name;
	} rows[] = { { 4, "DONTNEED" }, { 8, "FREE" }, { 9, "REMOVE" }, { 24, "DONTNEED_LOCKED" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_str(rows[i].name, advice_name(rows[i].advice), rows[i].name);
	assert_null(advice_name(-1));
	assert_null(advice_name(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errnos), cmocka_unit_test(untried), cmocka_unit_test(causes),
		cmocka_unit_test(sums),	  cmocka_unit_test(names),   cmocka_unit_test(longest),
		cmocka_unit_test(advice_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
