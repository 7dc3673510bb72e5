// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a load does to its own process before it copies anything.
#ifndef UFFDLOAD_PROCESS_H
#define UFFDLOAD_PROCESS_H

#include <stdbool.h>

/* Prevent write sections and mappings of source pages that no load asked for. */
void prepare_process(void);
/* Whether this user may have a userfaultfd for the kernel's own faults; if not, a message. */
bool may_use_uffd(void);
/* Say "ready PID" on stderr and wait for SIGUSR1. */
void wait_for_go(void);

#endif
