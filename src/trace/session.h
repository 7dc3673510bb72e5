/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* A session: the best plan that works on this kernel, attached and self-tested. */
#ifndef SESSION_H
#define SESSION_H

#include "sys/options.h"
#include "trace/hook_table.h"
#include "trace/selftest.h"
#include "trace/tracer.h"

struct session {
	struct kernel kernel;
	const struct plan *plan;
	struct tracer *tracer;
	struct self_test self_test;
	const char *kernel_check_name; /* of the kernel's check; "none", "unknown" */
	const char *self_test_name;    /* "passed", "failed", "off", "skipped" */
};

/*
 * session_open() - choose a plan, load and attach it, and run its self-test. When a plan cannot be
 * loaded or fails the self-test, the next one is tried, with a warning; the last one is kept if it
 * runs at all. Returns 0, or prints the reason and returns an exit status. Call session_close()
 * either way.
 */
int session_open(struct session *s, const struct options *o);
void session_close(struct session *s);

#endif /* SESSION_H */
