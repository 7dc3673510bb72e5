// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Threads that end together.
#define _GNU_SOURCE
#include <errno.h>

#include "program/kit/crew.h"

#define STACK_SIZE (128 * 1024)

/* Small stacks: glibc keeps them, so a thread's end unmaps nothing while others copy. */
int crew_start(struct crew *crew, void *(*work)(void *), void *data)
{
	pthread_attr_t attr;
	int err;

	if (crew->nr == CREW_MAX)
		return -EAGAIN;
	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	err = pthread_create(&crew->threads[crew->nr], &attr, work, data);
	pthread_attr_destroy(&attr);
	crew->nr += !err;
	return -err;
}

void crew_join(struct crew *crew)
{
	while (crew->nr)
		pthread_join(crew->threads[--crew->nr], NULL);
}
