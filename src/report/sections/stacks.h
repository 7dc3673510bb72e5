/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Stacks of the writers met in windows (--stacks): folded in the text, arrays in JSON. */
#ifndef REPORT_STACKS_H
#define REPORT_STACKS_H

#include "report/common.h"

/* Both do nothing without --stacks. */
void text_stacks(const struct report *r, const struct span *s);
void json_stacks(struct json_object *o, const struct report *r, const struct span *s);

#endif /* REPORT_STACKS_H */
