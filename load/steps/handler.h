// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The external handler: a process that receives the userfaultfd over a socket and copies from its
// own memory.
#ifndef UFFDLOAD_HANDLER_H
#define UFFDLOAD_HANDLER_H

#include <sys/types.h>

#include "lib/rig.h"

struct handler {
	pid_t pid;
	int socket;
};

/* The hidden command line with which the load starts itself as a handler: --handler=FD CPU. */
#define HANDLER_OPTION "--handler="

/* cpu: the CPU that it runs on, -1: any. 0 or -errno. */
int handler_start(struct handler *handler, int cpu);
void handler_stop(struct handler *handler);
/* SIGKILL; the status as waitpid() gives it. */
int handler_kill(struct handler *handler, int *status);

/* Make the rig of a layout in advance. 0 or -errno. */
int handler_prepare(struct handler *handler, const char *layout);
/* rig_begin(), rig_resolve() and rig_wait() in the handler's process. */
int handler_begin(struct handler *handler, const char *layout, const struct rig_copy *copy);
int handler_resolve(struct handler *handler, enum rig_source how);
/* 1 a window is held open, 0 the copy ended, -EAGAIN without block: not yet, or another -errno. */
int handler_wait(struct handler *handler, bool block, struct rig_result *result);
/* A write section on the handler's own mm. 0 or -errno. */
int handler_write_own_mm(struct handler *handler);

/* The handler's main(). */
int handler_main(int socket, int cpu);

#endif
