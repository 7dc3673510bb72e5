// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a load does to its own process before it copies anything.
#ifndef UFFDLOAD_PROCESS_H
#define UFFDLOAD_PROCESS_H

#include <stdbool.h>

/* Take away what would write mmap_lock by itself, or map source pages behind a load's back. */
void prepare_process(void);
/* False, and a message, without the right to a userfaultfd that serves the kernel's faults too. */
bool may_use_uffd(void);
/* Say "ready PID" on stderr and wait for SIGUSR1. */
void wait_for_go(void);
/* A CPU to run on beside the first one: -1 when there is none. */
int second_cpu(void);
int first_cpu(void);

#endif
