/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The counters as metrics for node_exporter (docs/reference/metrics.md). */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

#include "report/common.h"

/* Replace @path by the metrics. Returns 0, or -1 with errno set and @path untouched. */
int report_openmetrics(const struct report *r, const struct span *s, const char *path);

#endif /* OPENMETRICS_H */
