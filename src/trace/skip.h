/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * For the test build only (make INJECT=1): have runs of one hook skipped, and count them as if the
 * kernel had skipped them.
 */
#ifndef SKIP_H
#define SKIP_H

#include "trace/tracer_private.h"

#ifdef INJECT_SKIPS

/*
 * skip_configure() - do what $UFFDRETRY_SKIP says: VARIANT/TARGET:N[:LENGTH], as
 * "fexit/mfill_atomic_copy:3": of each N runs of that hook the first LENGTH (1) are skipped.
 * Returns 0, or -EINVAL.
 */
int skip_configure(struct tracer *t);

/* Runs of hook number @hook that were skipped so. */
__u64 skip_missed(const struct tracer *t, int hook);

#else

static inline int skip_configure(struct tracer *t)
{
	(void)t;
	return 0;
}

static inline __u64 skip_missed(const struct tracer *t, int hook)
{
	(void)t;
	(void)hook;
	return 0;
}

#endif /* INJECT_SKIPS */

#endif /* SKIP_H */
