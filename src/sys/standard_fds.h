/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* File descriptors 0 to 2, which the caller may have closed. */
#ifndef STANDARD_FDS_H
#define STANDARD_FDS_H

/*
 * standard_fds_open() - open those that are closed, so that no other file gets their numbers and
 * with it what is meant for stdout or stderr. Reading and writing them fails with EBADF, as if they
 * were still closed. COMMAND does not inherit them.
 * Returns 0, or -1 with errno set.
 */
int standard_fds_open(void);

#endif /* STANDARD_FDS_H */
