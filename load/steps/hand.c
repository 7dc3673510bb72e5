// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A second thread that does one job at a time: a job that would block the main thread, or must
// sleep in the kernel.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps/hand.h"

struct hand {
	atomic_uint told; /* futex: jobs given */
	atomic_uint done; /* futex: jobs ended */
	hand_job job;	  /* NULL: end */
	void *arg;
	int result;
	_Atomic pid_t tid;
	pthread_t thread;
};

static void wait_until(atomic_uint *word, unsigned int value)
{
	unsigned int now;

	while ((now = atomic_load(word)) != value)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
}

static void advance(atomic_uint *word)
{
	atomic_fetch_add(word, 1);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *work(void *data)
{
	struct hand *hand = data;
	unsigned int jobs = 0;

	atomic_store(&hand->tid, (pid_t)syscall(SYS_gettid));
	advance(&hand->done);
	for (;;) {
		wait_until(&hand->told, ++jobs);
		if (!hand->job)
			return NULL;
		hand->result = hand->job(hand->arg);
		advance(&hand->done);
	}
}

int hand_create(struct hand **out)
{
	struct hand *hand = calloc(1, sizeof(*hand));
	sigset_t all, before;
	int err;

	if (!hand)
		return -ENOMEM;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&hand->thread, NULL, work, hand);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		free(hand);
		return -err;
	}
	wait_until(&hand->done, 1);
	*out = hand;
	return 0;
}

void hand_destroy(struct hand *hand)
{
	if (!hand)
		return;
	hand_do(hand, NULL, NULL);
	pthread_join(hand->thread, NULL);
	free(hand);
}

void hand_do(struct hand *hand, hand_job job, void *arg)
{
	hand->job = job;
	hand->arg = arg;
	advance(&hand->told);
}

/* The thread counted itself once when it was ready. */
int hand_wait(struct hand *hand)
{
	wait_until(&hand->done, atomic_load(&hand->told) + 1);
	return hand->result;
}

pid_t hand_tid(const struct hand *hand)
{
	return atomic_load(&hand->tid);
}
