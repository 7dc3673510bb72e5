/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The processes that are watched: named ones, those of a cgroup, or a command that we start. */
#ifndef TARGET_H
#define TARGET_H

#include "sys/options.h"

#include <stdbool.h>
#include <sys/types.h>

struct target {
	pid_t pids[MAX_PIDS];
	int pidfds[MAX_PIDS]; /* -1 once gone */
	int nr;
	int alive;
	const char *cgroup; /* its path, NULL without one */
	__u64 cgroup_id;
	bool is_command;
	int start_pipe; /* COMMAND waits for a byte on it */
	int exec_pipe;	/* and tells here why it could not start */
	int status;	/* COMMAND's wait status, valid once it is gone */
};

/* Find the processes or the cgroup of @o. Returns 0, or prints why not and returns EXIT_ERROR. */
int target_find(struct target *t, const struct options *o);

/* Fork COMMAND; it waits for target_start(). Returns 0, or prints why not and returns EXIT_ERROR. */
int target_fork(struct target *t, char **command);

/* Let COMMAND go. Returns 0, or prints why it could not be executed and returns EXIT_ERROR. */
int target_start(struct target *t, char **command);

/* The pidfd of process @i has become readable: it is gone. */
void target_gone(struct target *t, int i);

/* COMMAND's exit status, 128 + signal if one killed it. */
int target_exit_status(const struct target *t);

/* Close what is open. A COMMAND that was never started dies. */
void target_close(struct target *t);

#endif /* TARGET_H */
