/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* --by: a line for each process or cgroup that owns a destination; --top: that alone, again and again. */
#ifndef REPORT_TARGETS_H
#define REPORT_TARGETS_H

#include "report/common.h"

/* Print the first of them, with -v all that JSON has; nothing without --by. */
void text_targets(const struct report *r, const struct span *s);

/* Print an interval of --top. Returns 0, or -1 with errno set. */
int text_top(const struct report *r, const struct span *s);

/* Add targets and targets_other to @o; nothing without --by. */
void json_targets(struct json_object *o, const struct report *r, const struct span *s);

#endif /* REPORT_TARGETS_H */
