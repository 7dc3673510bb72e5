// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A second thread that does one job at a time: a job that would block the main thread, or must
// sleep in the kernel.
#ifndef UFFDLOAD_HAND_H
#define UFFDLOAD_HAND_H

#include <sys/types.h>

struct hand;

typedef int (*hand_job)(void *arg);

int hand_create(struct hand **hand);
void hand_destroy(struct hand *hand);
/* Does not wait. One job at a time. */
void hand_do(struct hand *hand, hand_job job, void *arg);
/* Waits for the job and returns its result. */
int hand_wait(struct hand *hand);
pid_t hand_tid(const struct hand *hand);

#endif
