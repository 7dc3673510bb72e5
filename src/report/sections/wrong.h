/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* WRONG: pages that were filled though their address meant another page by then. */
#ifndef WRONG_H
#define WRONG_H

#include "report/common.h"

/* Print the answer: at most five lines. */
void text_wrong(const struct report *r, const struct span *s);

#endif /* WRONG_H */
