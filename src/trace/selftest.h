/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Does the plan see windows, and name them right? Known windows in our own address space tell. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "trace/tracer.h"

enum self_test_result {
	SELF_TEST_PASSED,
	SELF_TEST_FAILED,
	SELF_TEST_SKIPPED, /* could not be run, which says nothing about the plan */
};

struct self_test {
	enum self_test_result result;
	int windows; /* that were provoked */
	__u64 took_ns;
	/* What the kernel compares, found out by its answers; NR_CHECKS: nothing that is known. */
	enum check kernel_check;
	char why[160]; /* what failed or why it was skipped; "" when passed */
};

/*
 * self_test() - provoke windows of known class in our own mm and compare what the programs made of each.
 * Leaves the tracer in PHASE_OFF. None of its windows is in SLOT_RUN.
 */
void self_test(struct tracer *t, const struct kernel *kernel, struct self_test *result);

#endif /* SELFTEST_H */
