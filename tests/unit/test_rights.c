// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Giving up rights (sys/rights.c): the order of the calls. tests/vm/rights has what follows from
 * them.
 */
#include "sys/rights.h"
#include "unit.h"

#include <cap-ng.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int changes, seen; /* of ids and capabilities; those while others could trace us */

static bool dumpable(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

static void count(void)
{
	changes++;
	seen += dumpable();
}

int __real_setresuid(uid_t r, uid_t e, uid_t s);
int __wrap_setresuid(uid_t r, uid_t e, uid_t s);
int __real_capng_apply(capng_select_t set);
int __wrap_capng_apply(capng_select_t set);

/* As the kernel does it with fs.suid_dumpable=1. Then capabilities alone keep others away. */
int __wrap_setresuid(uid_t r, uid_t e, uid_t s)
{
	int err;

	count();
	err = __real_setresuid(r, e, s);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	seen += capng_get_caps_process() || !capng_have_capability(CAPNG_PERMITTED, CAP_SETUID);
	return err;
}

int __wrap_capng_apply(capng_select_t set)
{
	count();
	return __real_capng_apply(set);
}

enum { REFUSED = 1, SEEN, DUMPABLE, NOT_CALLED };

/* In a child, for there is no way back. Dumpable as a process with ambient capabilities is. */
static int drop(bool under_sudo)
{
	int status;
	pid_t pid = fork();

	if (pid) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		return WEXITSTATUS(status);
	}
	if (under_sudo && (setenv("SUDO_UID", "65534", 1) || setenv("SUDO_GID", "65534", 1)))
		_exit(REFUSED);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (rights_find_user(NULL) || rights_drop())
		_exit(REFUSED);
	if (seen)
		_exit(SEEN);
	if (dumpable())
		_exit(DUMPABLE);
	_exit(changes == 1 + under_sudo ? 0 : NOT_CALLED);
}

/* While capabilities go, no other process of our user may take what they made (pidfd_getfd()). */
static void nobody_looks_while_rights_go(void **state)
{
	assert_int_equal(drop(false), 0);
	if (!geteuid()) /* only root becomes another user */
		assert_int_equal(drop(true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_looks_while_rights_go),
	};

	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
