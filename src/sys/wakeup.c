// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Waiting with ppoll(): see wakeup.h. */
#include "sys/wakeup.h"
#include "sys/signals.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

void wakeup_wait(struct wakeup *w, const struct target *t, struct pollfd out, int events,
		 int symbols, int timeout_ms)
{
	struct timespec ts = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };
	struct pollfd *fds = w->fds;
	int nr = t->nr, ready;

	for (int i = 0; i < nr; i++)
		fds[i] = (struct pollfd) { .fd = t->pidfds[i], .events = POLLIN };
	fds[nr] = out;
	fds[nr + 1] = (struct pollfd) { .fd = events, .events = POLLIN };
	fds[nr + 2] = (struct pollfd) { .fd = symbols, .events = POLLIN };
	/* None may come between this look and the wait. */
	signals_let_in(false);
	ready = signal_caught() ? 0
				: ppoll(fds, (nfds_t)nr + 3, timeout_ms < 0 ? NULL : &ts,
					signals_unblocked());
	/* In this order: QEMU 7.2 loses the flags when the store of a setcc faults. */
	w->err = ready < 0 && errno != EINTR ? errno : 0;
	w->ready = ready > 0;
	/* ppoll() delivers none while a file descriptor is ready, as the events may always be. */
	signals_let_in(true);
	/* A pipe says POLLERR, a socket POLLHUP, a closed descriptor POLLNVAL; all say it forever. */
	w->closed = w->ready && fds[nr].revents & (POLLERR | POLLHUP | POLLNVAL);
}
