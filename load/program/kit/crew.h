// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Threads that end together.
#ifndef UFFDLOAD_CREW_H
#define UFFDLOAD_CREW_H

#include <pthread.h>

#define CREW_MAX 256
struct crew {
	pthread_t threads[CREW_MAX];
	unsigned int nr;
};

/* 0 or -errno. */
int crew_start(struct crew *crew, void *(*work)(void *), void *data);
void crew_join(struct crew *crew);

#endif
