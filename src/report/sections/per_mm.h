/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What a per-MM check would cost this program: counted, and by the model of docs/reference/json.md. */
#ifndef PER_MM_H
#define PER_MM_H

#include "report/common.h"

/* Print the answer of the first screen: at most three lines. */
void text_per_mm_answer(const struct report *r, const struct counters *c);
/* Print the count and the model, two lines; nothing where this kernel has no mm_lock_seq. */
void text_per_mm(const struct report *r, const struct counters *c);

/* Add per_mm to @o; each member is null where it is not known. */
void json_per_mm(struct json_object *o, const struct report *r, const struct counters *c);

#endif /* PER_MM_H */
