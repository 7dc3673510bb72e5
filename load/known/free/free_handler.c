// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The handler of `uffdload free --handled`: it holds the windows open, and so knows when they were.
/*
 * The sources are registered with a second userfaultfd. A copy's first attempt fails with page
 * faults disabled, without an event. The second one, in the window, sleeps until the handler fills
 * the source. So the window began before the handler reads the event, and ends after the handler
 * begins to fill: between these two it was open for certain.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "known/free/free.h"
#include "lib/clock.h"
#include "lib/rig.h"

/* Every other window is held, for less than this. */
#define HOLD_NS 1000000
/* How often the handler looks whether it must end. */
#define POLL_MS 50

static struct copier *copier_of(struct free_run *run, uint64_t address)
{
	unsigned int n;

	for (n = 0; n < run->options->copiers; n++)
		if (run->copiers[n].src == (address & ~(uint64_t)(PAGE - 1)))
			return &run->copiers[n];
	return NULL;
}

static void hold(struct prng *prng)
{
	struct timespec ts = { .tv_nsec = prng_below(prng, HOLD_NS) };

	if (prng_below(prng, 2))
		nanosleep(&ts, NULL);
}

/* The copiers whose events are there: at most one each. */
static unsigned int read_events(struct free_run *run, struct copier **copiers, unsigned int max)
{
	struct uffd_msg msg;
	unsigned int nr = 0;

	while (nr < max && read(run->nested, &msg, sizeof(msg)) == sizeof(msg)) {
		struct copier *copier = copier_of(run, msg.arg.pagefault.address);

		if (!copier)
			continue;
		atomic_store(&copier->opened, now_ns());
		copiers[nr++] = copier;
	}
	return nr;
}

void *free_handle(void *data)
{
	struct free_run *run = data;
	struct pollfd events = { .fd = run->nested, .events = POLLIN };
	struct prng prng = { .state = run->options->seed };
	struct copier *copiers[COPIERS_MAX];

	while (!atomic_load(&run->handled)) {
		unsigned int nr, n;
		int err;

		if (poll(&events, 1, POLL_MS) <= 0)
			continue;
		nr = read_events(run, copiers, COPIERS_MAX);
		hold(&prng);
		for (n = 0; n < nr; n++) {
			atomic_store(&copiers[n]->resolved, now_ns());
			err = rig_zeropage(run->nested, copiers[n]->src, PAGE);
			if (err)
				run->handler_err = err;
		}
	}
	return NULL;
}
