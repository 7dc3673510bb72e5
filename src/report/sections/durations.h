/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Durations: of windows, of relocks, and how early the begin of a window is. */
#ifndef DURATIONS_H
#define DURATIONS_H

#include "report/common.h"

/* Print how early a begin is at most, where the plan bounds it. */
void text_begin(const struct report *r, const struct counters *c);
/* Print a histogram of the windows' lengths, by powers of two; nothing without windows. */
void text_lengths(const struct report *r, const struct counters *c);
/* Print relock latency, where it is measured. */
void text_relock(const struct report *r, const struct counters *c);

/* Add hist_ns, begin_early and relock to @o; null where not measured. */
void json_hists(struct json_object *o, const struct report *r, const struct counters *c);
void json_begin(struct json_object *o, const struct report *r, const struct counters *c);
void json_relock(struct json_object *o, const struct report *r, const struct counters *c);

#endif /* DURATIONS_H */
