/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Does the plan see windows, and class them right? Known windows in our own mm tell. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "counters/run.h"

struct kernel;
struct tracer;

/*
 * self_test() - provoke windows of known class in our own mm, and compare how each is classed.
 * Leaves the tracer in PHASE_OFF. The windows count in SLOT_SELF_TEST only.
 */
void self_test(struct tracer *t, const struct kernel *kernel, struct self_test *result);

#endif /* SELFTEST_H */
