/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The report for people: at most 80 columns, the answer at a glance. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "report/common.h"

/* The banner, on stderr. Returns 0. */
int text_start(const struct report *r);

/* Each prints and flushes. Returns 0, or -1 with errno set. */
int text_self_test(const struct report *r, const struct self_test *t);
int text_interval(const struct report *r, const struct span *s);
int text_summary(const struct report *r, const struct span *s);

#endif /* REPORT_TEXT_H */
