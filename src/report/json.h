/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The report as JSON lines, schema 1 (docs/reference/json.md). */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include "report/common.h"

/* Each prints one record and flushes. Returns 0, or -1 with errno set. */
int json_start(const struct report *r);
int json_span(const struct report *r, const struct span *s);
int json_self_test(const struct report *r, const struct self_test *t);

/* Add the members of the record `start`, and `lost`. */
void json_start_members(struct json_object *o, const struct report *r);
void json_lost(struct json_object *o, const struct counters *c);

#endif /* REPORT_JSON_H */
