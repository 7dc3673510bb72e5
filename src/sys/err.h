/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What the user is told when something is wrong: one line, one hint, and an error object with -j. */
#ifndef ERR_H
#define ERR_H

#include <stdbool.h>
#include <stdio.h>

/* Exit statuses; docs/reference/uffdretry.8 lists them. */
enum {
	EXIT_DONE = 0,
	EXIT_ERROR = 1,
	EXIT_THRESHOLD = 2,
	EXIT_USAGE = 64,
};

/* From now on errors are also written to @json as an error object; NULL ends that. */
void err_json(FILE *json);

/*
 * fail() - print "uffdretry: MESSAGE" and "hint: HINT" to stderr.
 * @status: returned as it is, so that a caller can write "return fail(...)".
 * @hint: what the user can do about it, or NULL.
 */
int fail(int status, const char *hint, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Print "uffdretry: warning: MESSAGE" to stderr. */
void warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print "uffdretry: MESSAGE" to stderr with -v. */
void verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void err_verbose(bool on);

#endif /* ERR_H */
