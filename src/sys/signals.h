/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Signals: which end the run, and what COMMAND gets of them. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Before anything is printed: keep what the caller made of signals, and ignore SIGXFSZ. */
void signals_begin(void);

/*
 * After the options: SIGPIPE is ignored, SIGCHLD is not, whatever the caller did. SIGINT, SIGTERM and
 * SIGHUP are the caller's until signals_catch(): nothing is measured yet, and only a signal that kills
 * ends an open() on a file system that does not answer.
 */
void signals_set(void);

/*
 * signals_catch() - SIGINT, SIGTERM and SIGHUP end the run, SIGHUP not under nohup. A second one of them
 * kills, unless it comes at once. They are blocked now, and between a look for one and a wait:
 * signals_let_in() and signals_unblocked().
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

/* Unblock them, or block them again. Nothing before signals_catch(). */
void signals_let_in(bool in);

/* The mask while we wait: the caller's. */
const sigset_t *signals_unblocked(void);

#endif /* SIGNALS_H */
