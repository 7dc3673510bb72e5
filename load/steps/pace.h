// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A rate that is kept on average.
#ifndef UFFDLOAD_PACE_H
#define UFFDLOAD_PACE_H

#include <stdint.h>

#include "lib/clock.h"

/*
 * When the next is due of what is done so many times a second, after the one that was due at DUE. What is late is
 * caught up, but not more than a second's worth.
 */
int64_t pace_next(int64_t due, uint64_t rate);

#endif
