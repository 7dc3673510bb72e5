/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* `uffdretry diff`: two saved runs side by side, and what their differences are worth. */
#ifndef DIFF_H
#define DIFF_H

#include "report/comparison.h"

/* Each prints and flushes. Returns 0, or -1 with errno set. */
int text_diff(FILE *out, const struct diff *d);
int json_diff(FILE *out, const struct diff *d);

/* `uffdretry diff @files`. Returns an exit status. */
int diff_files(struct sink *sink, const char *const files[2]);

#endif /* DIFF_H */
