/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The processes that are traced: by pid, by cgroup, or a command that we start. */
#ifndef TARGET_H
#define TARGET_H

#include "sys/options.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct target {
	pid_t pids[MAX_PIDS];
	int pidfds[MAX_PIDS]; /* -1 once it ended */
	int nr;
	int alive;
	const char *cgroup; /* its path, or NULL */
	__u64 cgroup_id;
	char cgroup_path[PATH_MAX];
	bool cgroup_gone; /* somebody removed it, and perhaps made another of its name */
	bool is_command;
	int start_pipe;	 /* COMMAND waits for a word from it */
	int exec_pipe;	 /* and sends the errno of a failed execvp() */
	pid_t unstarted; /* our child until it executes COMMAND: it has our descriptors; 0: none */
	bool reaped;	 /* COMMAND ended, and no tracer of it has to see that first */
	int status;	 /* its wait status then */
};

/* Find the processes or the cgroup of @o. Returns 0, or prints why not and returns EXIT_ERROR. */
int target_find(struct target *t, const struct options *o);

/* Warn once when the cgroup is gone: its name may be another's by now, whom nobody counts. */
void target_check_cgroup(struct target *t);

/*
 * Fork a waiting COMMAND, if there is one that its user may execute. Returns 0, or prints why not
 * and returns EXIT_NOT_FOUND, EXIT_NOT_EXECUTABLE or EXIT_ERROR.
 */
int target_fork(struct target *t, char **command);

/*
 * Start COMMAND, and wait @patience for it to be executed; NULL: without limit. Returns 0, or prints why
 * it could not be executed and returns an exit status.
 */
int target_start(struct target *t, char **command, const struct timespec *patience);

/* Has process @i ended? */
bool target_ended(const struct target *t, int i);

/* Process @i ended: its pidfd is readable. */
void target_gone(struct target *t, int i);

/*
 * COMMAND's exit status, or 128 + the signal that killed it; 0 if there is none or it runs. Waits for a
 * tracer of COMMAND (ptrace(2)): call it when the programs are detached.
 */
int target_exit_status(struct target *t);

/*
 * Close all file descriptors. A COMMAND that was not started has ended then: it would hold the locks of
 * our files, and the next run could not write them.
 */
void target_close(struct target *t);

#endif /* TARGET_H */
