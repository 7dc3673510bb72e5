// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* File descriptors 0 to 2: see standard_fds.h. */
#include "sys/standard_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int standard_fds_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* The wrong direction, so that a report to a closed stdout is an error. */
		int flags = O_CLOEXEC | (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* open() takes the lowest free number, which is this one. */
		if (errno != EBADF || open("/dev/null", flags) != fd)
			return -1;
	}
	return 0;
}
