/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* CLOCK_MONOTONIC in nanoseconds. BPF's bpf_ktime_get_ns() reads the host's: sys/time_ns.h. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <linux/types.h>
#include <time.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

/* Nanoseconds since boot, the same for all processes of a time namespace. */
static inline __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * (__u64)NS_PER_S + (__u64)ts.tv_nsec;
}

static inline __s64 now_ms(void)
{
	return (__s64)now_ns() / NS_PER_MS;
}

#endif /* LIB_CLOCK_H */
