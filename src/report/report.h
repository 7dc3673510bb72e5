/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The report of a run: the same counters as text or as JSON lines, by struct report's @json. */
#ifndef REPORT_H
#define REPORT_H

#include "report/common.h"

/* Each prints and flushes. Returns 0, or -1 with errno set; EPIPE means that the reader is gone. */
int report_start(const struct report *r);
int report_span(const struct report *r, const struct span *s);
int report_self_test(const struct report *r, const struct self_test *t);

/* Print an event. Not flushed: report_flush() does that for a batch. */
int report_event(const struct report *r, const struct event *e);

#endif /* REPORT_H */
