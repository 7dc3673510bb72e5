/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The part of both reports that explains failures: who and why. */
#ifndef REPORT_FAILURES_H
#define REPORT_FAILURES_H

#include "report/report.h"

/* Add eagain_causes, causes, short_copy, fill_ioctls and mmap_changing to @o. */
void json_failures(struct json_object *o, const struct counters *c, const struct holder_row *holders, int nr_holders);
/* Add chains. */
void json_chains(struct json_object *o, const struct counters *c);

/* Print them for people; nothing when nothing failed. */
void text_failures(FILE *out, const struct counters *c, const struct holder_row *holders, int nr_holders);

#endif /* REPORT_FAILURES_H */
