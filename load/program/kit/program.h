// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A load that resembles a program: passes until its time is up, and its JSON line.
#ifndef UFFDLOAD_PROGRAM_H
#define UFFDLOAD_PROGRAM_H

#include "program/kit/run.h"
#include "steps/load.h"

/*
 * Calls pass() until params.passes are done or the time is up, and prints the result. A pass copies
 * all pages once: 0, or -errno with a message printed; -ENOTSUP: the machine lacks what the load
 * needs. Returns the exit status.
 */
int program_run(const struct load *load, const void *params, int (*pass)(struct run *run));

#endif
