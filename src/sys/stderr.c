// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Writing to stderr: see stderr.h. */
#include "sys/stderr.h"
#include "sys/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#define PATIENCE_MS 1000

static sigset_t before;

bool stderr_begin(void)
{
	static int patience_ms = PATIENCE_MS;
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	int ready;

	sigprocmask(SIG_SETMASK, NULL, &before);
	signals_let_in(true);
	/* A pipe that is ready takes PIPE_BUF. Only a summary is longer, and then nothing is traced. */
	ready = poll(&fd, 1, patience_ms);
	if (ready > 0 || (ready < 0 && errno != EINTR))
		return true;
	patience_ms = 0;
	return false;
}

void stderr_end(void)
{
	sigprocmask(SIG_SETMASK, &before, NULL);
}
