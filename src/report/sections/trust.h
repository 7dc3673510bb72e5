/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* TRUST: the plan, the self-test, and what was lost, or that nothing was. */
#ifndef TRUST_H
#define TRUST_H

#include "report/common.h"

/* Print the answer: at most five lines, all warnings only with --verbose. */
void text_trust(const struct report *r, const struct counters *c);

#endif /* TRUST_H */
