/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * An output that never waits for its reader: a pipe to a pager, a terminal after Ctrl-S. What was
 * not taken yet stays in memory; the caller writes no more while something waits, so that this is
 * a record or a batch. There is one.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdio.h>

/* Write to @fd, which stays open and as it is for others. Returns NULL with errno set. */
FILE *stream_open(int fd);

/* What to poll for POLLOUT, or for a reader that is gone; -1 without a stream. */
int stream_fd(void);

/* How many bytes the reader has not taken. */
size_t stream_waiting(void);

/* Write what can be written without waiting. Returns 0, or -1 with errno set and nothing waiting. */
int stream_send(void);

/*
 * stream_finish() - wait until everything is written, or the reader takes nothing for @patience_ms,
 * or for a signal. Returns 0, or -1 with errno set: ETIMEDOUT, EINTR.
 */
int stream_finish(int patience_ms);

#endif /* STREAM_H */
