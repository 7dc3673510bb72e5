// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The pure functions on failures that the BPF programs and the reports share. */
#include "classify.h"
#include "counters/names.h"
#include "unit.h"

#include <errno.h>

static void errnos(void **state)
{
	static const int known[] = { EAGAIN, EEXIST, ENOENT, EFAULT, ENOMEM,
				     EINVAL, ESRCH,  ENOSPC, EINTR };

	for (__u32 i = 0; i < COUNT(known); i++)
		expect_str(strerrorname_np(known[i]),
			   fail_errno_names[fail_errno_of((__u32)known[i])],
			   strerrorname_np(known[i]));
	expect_u64("EIO", fail_errno_of(EIO), FAIL_OTHER);
	expect_u64("0", fail_errno_of(0), FAIL_OTHER);
}

/* Before any page, the tests under the first lock return three errnos, page tables the others. */
static void untried(void **state)
{
	expect_u64("EAGAIN", site_untried(FAIL_EAGAIN), SITE_LOCK);
	expect_u64("ENOENT", site_untried(FAIL_ENOENT), SITE_LOCK);
	expect_u64("EINVAL", site_untried(FAIL_EINVAL), SITE_LOCK);
	expect_u64("EEXIST", site_untried(FAIL_EEXIST), SITE_PAGE);
	expect_u64("ENOMEM", site_untried(FAIL_ENOMEM), SITE_PAGE);
	expect_u64("EFAULT", site_untried(FAIL_EFAULT), SITE_PAGE);
}

/* mmap_changing explains an EAGAIN of these three sites, and no other errno. */
static void refusals(void **state)
{
	for (__u32 site = 0; site < NR_SITES; site++) {
		expect_u64(site_names[site], is_refusal(FAIL_EAGAIN, site),
			   site == SITE_ENTRY || site == SITE_LOCK || site == SITE_RELOCK);
		expect_u64(site_names[site], is_refusal(FAIL_ENOENT, site), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errnos),
		cmocka_unit_test(untried),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests_name("failures", tests, NULL, NULL);
}
