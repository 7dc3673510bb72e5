// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The JSON line of a run; docs/development/loads.md has its members.
#ifndef UFFDLOAD_RESULT_H
#define UFFDLOAD_RESULT_H

#include "program/kit/run.h"

/* To stdout. 0 or -1. */
int result_print(const struct run *run, const struct setting *const *settings);

#endif
