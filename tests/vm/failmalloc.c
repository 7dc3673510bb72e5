// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * LD_PRELOAD this: the FAIL_AT-th allocation of the program fails, with FAIL_ON=1 also all later
 * ones. At the end it writes the number of allocations to the file FAIL_COUNT, if that is set.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_long calls;
static long at = -1;
static int on;

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAIL_AT");

	on = getenv("FAIL_ON") != NULL;
	calls = 0;
	at = text ? atol(text) : -1;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAIL_COUNT");
	FILE *f;
	long n = calls;

	at = -1;
	f = path ? fopen(path, "we") : NULL;
	if (!f)
		return;
	fprintf(f, "%ld\n", n);
	fclose(f);
}

static int fails(void)
{
	long call = atomic_fetch_add(&calls, 1) + 1;

	if (at < 0 || call < at || (call > at && !on))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	return fails() ? NULL : __libc_calloc(nr, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
