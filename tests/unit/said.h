/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* In place of sys/err.c: what fail() or warning() said last. Comes before unit.h. */
#ifndef SAID_H
#define SAID_H

#include "sys/err.h"
/* cmocka has a macro fail(). */
#include "unit.h"

static char said[1024];

int(fail)(int status, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	return status;
}

void warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

#endif /* SAID_H */
