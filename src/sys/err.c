// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Errors and warnings: see err.h. */
#include "sys/err.h"
#include "sys/json_lines.h"
#include "sys/stderr.h"

#include <ctype.h>
#include <stdarg.h>

static FILE *json_out;
static bool is_verbose;

void err_json(FILE *json)
{
	json_out = json;
}

void err_verbose(bool on)
{
	is_verbose = on;
}

static void error_object(const char *message, const char *hint, int status)
{
	struct json_object *o = json_new();

	add_str(o, "type", "error");
	add_u64(o, "schema", JSON_SCHEMA);
	add_str(o, "message", message);
	add_str(o, "hint", hint);
	add_u64(o, "status", (__u64)status);
	json_write(json_out, o);
}

/* One printable line, whatever the user typed. High bytes go too: the locale need not be UTF-8. */
static void format(char *message, size_t size, const char *fmt, va_list ap)
{
	vsnprintf(message, size, fmt, ap);
	for (char *c = message; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

int fail(int status, const char *hint, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	format(message, sizeof(message), fmt, ap);
	va_end(ap);

	if (stderr_begin())
		fprintf(stderr, "uffdretry: %s\n%s%s%s", message, hint ? "hint: " : "", hint ?: "",
			hint ? "\n" : "");
	stderr_end();
	if (json_out)
		error_object(message, hint, status);
	return status;
}

static void say(const char *prefix, const char *fmt, va_list ap)
{
	char message[1024];

	format(message, sizeof(message), fmt, ap);
	if (stderr_begin())
		fprintf(stderr, "uffdretry: %s%s\n", prefix, message);
	stderr_end();
}

void warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

void verbose(const char *fmt, ...)
{
	va_list ap;

	if (!is_verbose)
		return;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}
