/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Nothing happened: who holds a userfaultfd, and what to try. */
#ifndef IDLE_H
#define IDLE_H

#include "report/common.h"

/* Was no userfaultfd called to fill a page, as far as was seen? */
bool nothing_happened(const struct counters *c);
/* Say so: at most seven lines. */
void text_idle(const struct report *r, const struct span *s);
void json_owners(struct json_object *o, const struct report *r);

#endif /* IDLE_H */
