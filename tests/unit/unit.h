/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What the unit tests share: cmocka, and comparisons whose failure names the row of the table. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fail with two different strings: cmocka prints those below "not ok", but loses messages. */
#define expect_row(equal, what, format, row, got, want)                             \
	do {                                                                        \
		char is_[2048], not_[2048];                                         \
                                                                                    \
		if (equal)                                                          \
			break;                                                      \
		snprintf(is_, sizeof(is_), "%s: " what " is " format, row, got);    \
		snprintf(not_, sizeof(not_), "%s: " what " is " format, row, want); \
		assert_string_equal(is_, not_);                                     \
		fail();                                                             \
	} while (0)

#define expect_u64(row, got, want)                                                \
	expect_row((got) == (want), #got, "%llu", row, (unsigned long long)(got), \
		   (unsigned long long)(want))

#define expect_near(row, got, want, error)                                                     \
	expect_row((got) - (want) <= (error) && (want) - (got) <= (error), #got, "%.12g", row, \
		   got, want)

#define expect_str(row, got, want) expect_row(!strcmp(got, want), #got, "\"%s\"", row, got, want)

#endif /* UNIT_H */
