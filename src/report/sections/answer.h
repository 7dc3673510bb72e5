/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The answers of the first screen: a word, and what it answers, at most 80 columns. */
#ifndef ANSWER_H
#define ANSWER_H

#include "report/common.h"

/* Longer ones are cut. */
#define ANSWER_LEN 512

/* Print "HEAD     " and the text, wrapped behind the head; "" goes on with the answer above. */
__attribute__((format(printf, 3, 4))) void answer(FILE *out, const char *head, const char *fmt,
						  ...);

#endif /* ANSWER_H */
