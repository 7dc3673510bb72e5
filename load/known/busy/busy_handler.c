// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The external handler of `uffdload busy`: a child whose threads copy into its parent's memory.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known/busy/busy.h"

/* --- the child -------------------------------------------------------------------------------- */

/* Threads exist before the owner opens the gate. */
static _Noreturn void handler(struct busy_run *run, int ready)
{
	/* It may wait for the owner, or for the gate. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(run->gate[1]);
	if (busy_start_copiers(run) || write(ready, "", 1) != 1)
		_exit(EXIT_FAILURE);
	busy_end_copiers(run);
	_exit(EXIT_SUCCESS);
}

/* --- the owner -------------------------------------------------------------------------------- */

/* The handler's madvise() would empty its own memory: the owner does it, until the handler ends. */
static void *serve(void *data)
{
	struct busy_copier *copier = data;
	char unused;
	int err;

	while (read(copier->handler, &unused, 1) == 1) {
		err = busy_empty(copier);
		if (write(copier->handler, &err, sizeof(err)) != (ssize_t)sizeof(err))
			break;
	}
	return NULL;
}

static int start_servants(struct busy_run *run)
{
	unsigned int n;
	int err = 0;

	for (n = 0; n < run->options->copiers && !err; n++) {
		/* The handler's own is now the only one: when it ends, the servant reads the end. */
		close(run->copiers[n].owner);
		err = pthread_create(&run->copiers[n].servant, NULL, serve, &run->copiers[n]);
	}
	return -err;
}

static int connect_copiers(struct busy_run *run)
{
	unsigned int n;
	int pair[2];

	for (n = 0; n < run->options->copiers; n++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			return -errno;
		run->copiers[n].owner = pair[0];
		run->copiers[n].handler = pair[1];
	}
	return 0;
}

int busy_start_handler(struct busy_run *run)
{
	int ready[2];
	char unused;
	int err = connect_copiers(run);

	if (!err && pipe(ready))
		err = -errno;
	if (err)
		return err;
	run->handler = fork();
	if (run->handler < 0)
		return -errno;
	if (!run->handler)
		handler(run, ready[1]);
	close(ready[1]);
	err = start_servants(run);
	if (!err && read(ready[0], &unused, 1) != 1)
		err = -ECHILD;
	close(ready[0]);
	return err;
}

int busy_end_handler(struct busy_run *run)
{
	unsigned int n;
	int status;

	if (waitpid(run->handler, &status, 0) != run->handler)
		return -errno;
	if (status)
		warnx("the handler failed: status %#x", (unsigned int)status);
	for (n = 0; n < run->options->copiers; n++)
		pthread_join(run->copiers[n].servant, NULL);
	return status ? -ECHILD : 0;
}
