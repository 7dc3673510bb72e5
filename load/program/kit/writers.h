// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Threads that write to the mm of this process, at a rate that they share.
#ifndef UFFDLOAD_PROGRAM_WRITERS_H
#define UFFDLOAD_PROGRAM_WRITERS_H

#include "program/kit/beat.h"

/* --writers threads that write to the mm of this process as --writer-what says. */
struct writers {
	struct beat beats[64];
	struct crew crew;
};

/* 0 or -errno. */
int writers_start(struct writers *writers, struct guest *guest);
void writers_join(struct writers *writers);

#endif
