/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Why copies failed: causes, and who raised mmap_changing. */
#ifndef REPORT_FAILURES_H
#define REPORT_FAILURES_H

#include "report/common.h"

/* Print them; nothing when nothing failed. */
void text_failures(FILE *out, const struct span *s);

/* Add eagain_causes, causes, short_copy, fill_ioctls and mmap_changing to @o. */
void json_failures(struct json_object *o, const struct span *s);

#endif /* REPORT_FAILURES_H */
