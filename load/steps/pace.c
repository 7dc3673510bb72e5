// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A rate that is kept on average.
#include "steps/pace.h"

int64_t pace_next(int64_t due, uint64_t rate)
{
	int64_t next = due + NS_PER_S / (int64_t)rate, now = (int64_t)now_ns();

	return next < now - NS_PER_S ? now : next;
}
