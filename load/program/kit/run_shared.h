// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Inside a run: the memory that all its processes share.
#ifndef UFFDLOAD_RUN_SHARED_H
#define UFFDLOAD_RUN_SHARED_H

#include <stdatomic.h>

#include "program/kit/tally.h"

#define TALLIES_MAX 1024

struct shared {
	_Atomic int64_t began; /* the first pass; 0: not yet */
	atomic_bool go;
	atomic_bool stop;
	atomic_bool pass_over;
	atomic_bool failed;
	struct tally tallies[TALLIES_MAX];
};

#endif
