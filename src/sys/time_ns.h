/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Our time namespace: BPF's clock is the host's, CLOCK_MONOTONIC may be shifted. */
#ifndef TIME_NS_H
#define TIME_NS_H

#include <linux/types.h>

/* What CLOCK_MONOTONIC shows more here than to bpf_ktime_get_ns(), in nanoseconds. */
__s64 time_ns_offset(void);

#endif /* TIME_NS_H */
