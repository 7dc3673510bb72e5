/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What wakes a waiting run: a signal, the end of a process, a closed output, events, time. */
#ifndef WAKEUP_H
#define WAKEUP_H

#include "sys/target.h"

#include <poll.h>
#include <stdbool.h>

/*
 * signals_catch() - SIGINT, SIGTERM and SIGHUP end the run, SIGHUP not under nohup; SIGPIPE is ignored, SIGCHLD is
 * not, whatever the caller did. Handlers reset themselves, so that a second signal kills. The signals are blocked except in wakeup_wait().
 */
void signals_catch(void);

/* In the child, before it executes COMMAND: all signals as our caller left them. */
void signals_give_back(void);

/* The signal that was caught, or 0. */
int signal_caught(void);

/* Did @pid get it too, as from Ctrl-C? */
bool signal_reached(pid_t pid);

/* Unblock them for good. */
void signals_release(void);

struct wakeup {
	struct pollfd fds[MAX_PIDS + 2]; /* the processes, then the output and the events */
	bool ready;			 /* one of them is: their revents are valid */
	bool closed;			 /* the reader of the output is gone */
};

/*
 * wakeup_wait() - wait at most @timeout_ms (-1: without limit).
 * @out: the output; @events: readable when events wait, or -1.
 */
void wakeup_wait(struct wakeup *w, const struct target *t, int out, int events, int timeout_ms);

#endif /* WAKEUP_H */
