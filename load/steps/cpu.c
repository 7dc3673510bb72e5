// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Which CPU a thread runs on, and whether others run beside it.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>

#include "steps/cpu.h"

/* The nth CPU that this process may use, or -1. */
static int allowed_cpu(int n)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && !n--)
			return cpu;
	return -1;
}

int cpu_first(void)
{
	return allowed_cpu(0);
}

int cpu_second(void)
{
	return allowed_cpu(1);
}

int cpu_pin(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

int cpu_real_time(bool on)
{
	struct sched_param param = { .sched_priority = on ? 1 : 0 };

	return sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &param) ? -errno : 0;
}
