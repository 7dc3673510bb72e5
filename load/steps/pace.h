// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A rate that is kept on average.
#ifndef UFFDLOAD_PACE_H
#define UFFDLOAD_PACE_H

#include <stdint.h>

#include "lib/clock.h"

/*
 * When the next of RATE operations a second is due, after one that was due at DUE. Late operations
 * are caught up, but at most a second's worth of them.
 */
int64_t pace_next(int64_t due, uint64_t rate);

#endif
