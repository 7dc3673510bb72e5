/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* From "which kernel is this" to attached programs that proved themselves: the best plan that works here. */
#ifndef SESSION_H
#define SESSION_H

#include "sys/options.h"
#include "trace/hooks.h"
#include "trace/selftest.h"
#include "trace/tracer.h"

struct session {
	struct kernel kernel;
	const struct plan *plan;
	struct tracer *tracer;
	struct self_test self_test;
	const char *kernel_check;   /* what the kernel compares: a check's name, "none", or "unknown" */
	const char *self_test_name; /* "passed", "failed", "off", "skipped" */
};

/*
 * session_open() - choose a plan, load and attach it, and let it prove itself. A plan that cannot be loaded or fails
 * its self-test falls to the next, with a warning; the last one that at least runs is kept, its failure noted. Returns
 * 0, or prints why not and returns an exit status. session_close() either way.
 */
int session_open(struct session *s, const struct options *o);
void session_close(struct session *s);

#endif /* SESSION_H */
