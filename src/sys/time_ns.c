// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Our time namespace: see time_ns.h. */
#include "sys/time_ns.h"
#include "lib/clock.h"

#include <stdbool.h>
#include <stdio.h>

static __s64 read_offset(void)
{
	/* No such file: a kernel without time namespaces. */
	FILE *f = fopen("/proc/self/timens_offsets", "re");
	long long s = 0, ns = 0;

	if (!f)
		return 0;
	if (fscanf(f, "monotonic %lld %lld", &s, &ns) != 2)
		s = ns = 0;
	fclose(f);
	return s * NS_PER_S + ns;
}

__s64 time_ns_offset(void)
{
	static bool known; /* nobody can change it: we run in it already */
	static __s64 offset;

	if (!known)
		offset = read_offset();
	known = true;
	return offset;
}
