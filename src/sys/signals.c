// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* What signals do to us and to COMMAND: see signals.h. */
#include "sys/signals.h"
#include "lib/clock.h"

#include <stddef.h>
#include <unistd.h>

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
#define NR_ENDING (sizeof(ending) / sizeof(ending[0]))

/* Those that we treat otherwise than the caller, and what it made of them. */
static const int changed[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ, SIGTTOU, SIGCHLD };
#define NR_CHANGED (sizeof(changed) / sizeof(changed[0]))
static struct sigaction inherited[NR_CHANGED];
static sigset_t unblocked; /* the caller's mask, and ours while we wait */
static sigset_t blocked;   /* ours else */
static sigset_t ends;	   /* what ends the run: @ending without those that the caller ignores */

/* timeout(1) sends two at once, to us and to our process group, and means one. */
#define TOGETHER_NS (50 * NS_PER_MS)

static bool are_ours; /* after signals_catch() */
static volatile sig_atomic_t caught, from_kernel;
static __u64 caught_ns;

/* A terminal that is closed can send two: its shell one, and the kernel one when the shell has ended. */
static bool is_second(int sig)
{
	return now_ns() - caught_ns >= TOGETHER_NS && (sig != SIGHUP || caught != SIGHUP);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (!caught) {
		caught = sig;
		from_kernel = info->si_code == SI_KERNEL;
		caught_ns = now_ns();
	} else if (is_second(sig)) {
		/* It kills, whichever it is, once we return. */
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

static bool was_ignored(int sig)
{
	for (size_t i = 0; i < NR_CHANGED; i++)
		if (changed[i] == sig)
			return inherited[i].sa_handler == SIG_IGN;
	return false;
}

void signals_begin(void)
{
	for (size_t i = 0; i < NR_CHANGED; i++)
		sigaction(changed[i], NULL, &inherited[i]);
	sigprocmask(SIG_BLOCK, NULL, &unblocked);
	/* An error of write() tells of the limit, and the records stay whole. */
	signal(SIGXFSZ, SIG_IGN);
	/* In the background of a terminal with tostop it would stop us, with our programs attached. */
	signal(SIGTTOU, SIG_IGN);
}

void signals_set(void)
{
	/* As SIGXFSZ. */
	signal(SIGPIPE, SIG_IGN);
	/* Ignored, the kernel would throw away COMMAND's status. */
	signal(SIGCHLD, SIG_DFL);
}

void signals_catch(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	sigemptyset(&ends);
	for (size_t i = 0; i < NR_ENDING; i++)
		if (ending[i] != SIGHUP || !was_ignored(SIGHUP)) /* nohup */
			sigaddset(&ends, ending[i]);
	sa.sa_mask = ends;
	for (size_t i = 0; i < NR_ENDING; i++)
		if (sigismember(&ends, ending[i]))
			sigaction(ending[i], &sa, NULL);
	sigprocmask(SIG_BLOCK, &ends, &unblocked);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	are_ours = true;
}

void signals_give_back(void)
{
	for (size_t i = 0; i < NR_CHANGED; i++)
		sigaction(changed[i], &inherited[i], NULL);
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
}

int signal_caught(void)
{
	return caught;
}

bool signal_reached(pid_t pid)
{
	/* The terminal sends it to the whole process group. */
	return from_kernel && getpgid(pid) == getpgrp();
}

void signals_release(void)
{
	blocked = unblocked;
	signals_let_in(true);
}

void signals_let_in(bool in)
{
	if (are_ours)
		sigprocmask(SIG_SETMASK, in ? &unblocked : &blocked, NULL);
}

const sigset_t *signals_unblocked(void)
{
	return &unblocked;
}
