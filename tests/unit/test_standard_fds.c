// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Closed standard descriptors (sys/standard_fds.c): no other file may get their numbers. */
#include "sys/standard_fds.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a child, without the descriptors of the bits of @closed. Returns which check failed, or 0. */
static int opened_again(int closed)
{
	char byte = 0;
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (closed & 1 << fd)
			close(fd);
	if (standard_fds_open())
		return 1;
	fd = open("/dev/null", O_RDONLY);
	if (fd <= 2)
		return 2;
	for (fd = 0; fd <= 2; fd++) {
		if (!(closed & 1 << fd))
			continue;
		if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			return 3;
		if ((fd ? write(fd, &byte, 1) : read(fd, &byte, 1)) != -1 || errno != EBADF)
			return 4;
	}
	return 0;
}

static void each_set_of_closed_ones(void **state)
{
	for (int closed = 0; closed < 8; closed++) {
		char row[32];
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(opened_again(closed));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		snprintf(row, sizeof(row), "closed %d", closed);
		expect_u64(row, status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_set_of_closed_ones) };

	return cmocka_run_group_tests_name("standard_fds", tests, NULL, NULL);
}
