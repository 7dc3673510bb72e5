/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Writing to stderr, whose reader may have stopped: that must not hold the tracer. */
#ifndef STDERR_H
#define STDERR_H

#include <stdbool.h>

/*
 * stderr_begin() - let signals in until stderr_end(), and wait a second for room. False: nobody
 * reads, so the message is dropped. The next ones do not wait.
 */
bool stderr_begin(void);
void stderr_end(void);

#endif /* STDERR_H */
