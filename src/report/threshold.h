/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* --fail-above: does a per-MM check fail too many windows needlessly? */
#ifndef THRESHOLD_H
#define THRESHOLD_H

#include "counters/run.h"

/*
 * threshold_judge() - compare the share of windows that a per-MM check would fail needlessly with
 * @rate. Returns 0 when it is not above; else prints why and returns EXIT_THRESHOLD, or
 * EXIT_NOT_JUDGED when no window reached a check, or what was lost could change the answer.
 */
int threshold_judge(const struct counters *c, double rate);

#endif /* THRESHOLD_H */
