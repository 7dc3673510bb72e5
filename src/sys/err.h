/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Errors and warnings: one line, one hint, and with -j an error object. */
#ifndef ERR_H
#define ERR_H

#include <stdbool.h>
#include <stdio.h>

/* Exit statuses; docs/reference/uffdretry.8 lists them. */
enum {
	EXIT_DONE = 0,
	EXIT_ERROR = 1,
	EXIT_THRESHOLD = 2,
	EXIT_NOT_JUDGED = 3,
	EXIT_USAGE = 64,
	EXIT_NOT_EXECUTABLE = 126, /* COMMAND, as shells tell it */
	EXIT_NOT_FOUND = 127,
};

/* From now on write errors also to @json, as an error object; NULL ends that. */
void err_json(FILE *json);

/*
 * fail() - print "uffdretry: MESSAGE" and "hint: HINT" to stderr.
 * @status: returned unchanged, so that a caller can write "return fail(...)".
 * @hint: what the user can do, or NULL.
 */
int fail(int status, const char *hint, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The hint where the limit of open files is reached. */
#define MORE_FILES "the limit of open files is too low: ulimit -n 4096"

/* Print "uffdretry: warning: MESSAGE" to stderr. */
void warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print "uffdretry: MESSAGE" to stderr with -v. */
void verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void err_verbose(bool on);

#endif /* ERR_H */
