// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Which CPU a thread runs on, and whether others run beside it.
#ifndef UFFDLOAD_CPU_H
#define UFFDLOAD_CPU_H

#include <stdbool.h>
#include <sys/types.h>

/* The first and the second CPU that this process may use; -1 without one. */
int cpu_first(void);
int cpu_second(void);
/* A thread, 0 for the caller, runs on this CPU only. 0 or -errno. */
int cpu_pin(pid_t tid, int cpu);
/* Whether the caller runs before all ordinary threads of its CPU (SCHED_FIFO). 0 or -errno. */
int cpu_real_time(bool on);

#endif
