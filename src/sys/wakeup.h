/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What wakes a waiting run: a signal, the end of a process, a closed output, events, time. */
#ifndef WAKEUP_H
#define WAKEUP_H

#include "sys/target.h"

#include <poll.h>
#include <stdbool.h>

struct wakeup {
	struct pollfd fds[MAX_PIDS + 3]; /* the processes, then the output, the events, the symbols */
	bool ready;			 /* one of them is: their revents are valid */
	bool closed;			 /* the reader of the output is gone */
	int err; /* errno of a wait that failed, as after RLIMIT_NOFILE was lowered; else 0 */
};

/*
 * wakeup_wait() - wait at most @timeout_ms (-1: without limit).
 * @out: the output. Without events only that its reader is gone; POLLOUT: room, too.
 * @events: readable when events wait, or -1. @symbols: the same, when tracer_drain() must be called.
 */
void wakeup_wait(struct wakeup *w, const struct target *t, struct pollfd out, int events,
		 int symbols, int timeout_ms);

#endif /* WAKEUP_H */
