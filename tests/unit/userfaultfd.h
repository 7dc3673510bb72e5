/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Skip tests that open windows on this machine's kernel where userfaultfd is refused. */
#ifndef USERFAULTFD_H
#define USERFAULTFD_H

#include "lib/rig.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A group's set-up. */
static inline int need_userfaultfd(void **state)
{
	int fd = rig_uffd_open(0);

	if (fd < 0) {
		printf("1..0 # SKIP userfaultfd: %s\n", strerror(-fd));
		_exit(0);
	}
	close(fd);
	return 0;
}

#endif /* USERFAULTFD_H */
