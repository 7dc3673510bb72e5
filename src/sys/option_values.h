/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Numbers of the command line. Each returns 0, or -1 for what is not one whole valid value. */
#ifndef OPTION_VALUES_H
#define OPTION_VALUES_H

#include <linux/types.h>

/* Nanoseconds, from 1 us to 100 years: 500ms, 10s, 1m, 2h; a plain number is seconds. */
int parse_duration(const char *text, __u64 *ns);

/* A share from 0 to 1: 0.1% or 0.001. */
int parse_rate(const char *text, double *rate);

/* A decimal number from 1 to @max. */
int parse_number(const char *text, __u64 max, __u64 *value);

#endif /* OPTION_VALUES_H */
