/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* A file without quota on a network: close() tells. unit.mk makes the linker put __wrap_close() in its place. */
#ifndef NO_QUOTA_H
#define NO_QUOTA_H

#include <errno.h>
#include <stdbool.h>

static bool no_quota;

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	int err = __real_close(fd);

	if (!no_quota)
		return err;
	errno = EDQUOT;
	return -1;
}

#endif /* NO_QUOTA_H */
