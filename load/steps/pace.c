// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The clock of the loads, and a rate that is kept on average.
#define _GNU_SOURCE
#include <time.h>

#include "steps/pace.h"

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t pace_next(int64_t due, uint64_t rate)
{
	int64_t next = due + NS_PER_S / (int64_t)rate, now = now_ns();

	return next < now - NS_PER_S ? now : next;
}
