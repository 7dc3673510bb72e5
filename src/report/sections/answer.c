// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The answers of the first screen: see answer.h. */
#include "report/sections/answer.h"
#include "report/format.h"

#include <stdarg.h>

#define INDENT 9

void answer(FILE *out, const char *head, const char *fmt, ...)
{
	char text[ANSWER_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(out, "%-*s", INDENT, head);
	print_wrapped(out, text, INDENT);
}
