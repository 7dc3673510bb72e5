// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Waiting with ppoll(): see wakeup.h. */
#include "sys/wakeup.h"
#include "sys/signals.h"

#include <signal.h>
#include <time.h>

/* ppoll() delivers no signal while a file descriptor is ready, as the events may always be. */
static void take_signals(void)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, signals_unblocked(), &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void wakeup_wait(struct wakeup *w, const struct target *t, int out, int events, int timeout_ms)
{
	struct timespec ts = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };
	struct pollfd *fds = w->fds;
	int nr = t->nr;

	for (int i = 0; i < nr; i++)
		fds[i] = (struct pollfd) { .fd = t->pidfds[i], .events = POLLIN };
	/* No events asked for: only that the reader's end closed. */
	fds[nr] = (struct pollfd) { .fd = out };
	fds[nr + 1] = (struct pollfd) { .fd = events, .events = POLLIN };
	w->ready = ppoll(fds, (nfds_t)nr + 2, timeout_ms < 0 ? NULL : &ts, signals_unblocked()) > 0;
	/* The caller may block in a write: only after the first signal does the next one kill. */
	if (w->ready)
		take_signals();
	/* A pipe says POLLERR, a socket POLLHUP, a closed descriptor POLLNVAL; all say it forever. */
	w->closed = w->ready && fds[nr].revents & (POLLERR | POLLHUP | POLLNVAL);
}
