/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* EAGAIN, the first answer: why copies failed, who was it, what it cost, what to do. */
#ifndef EAGAIN_H
#define EAGAIN_H

#include "report/common.h"

/* Print the answer: at most eleven lines. */
void text_eagain(const struct report *r, const struct span *s);

#endif /* EAGAIN_H */
