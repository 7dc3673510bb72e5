/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Calls that fail by plan. unit.mk makes the linker put __wrap_NAME() in place of NAME(), and each
 * of these asks fails() first. A test can make the calls of an operation fail, one at a time.
 */
#ifndef FAILING_H
#define FAILING_H

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

static struct {
	atomic_int calls; /* since the last arm() */
	int at;		  /* which of them fails; 0: none */
	bool on;	  /* and every one after it */
	int err;	  /* with this errno */
	const char *what; /* the one that failed, or NULL */
	char name[64];	  /* this is what it points to: the caller's may be gone */
} failing;

/* From now on the @at-th call fails with @err. */
static inline void arm(int at, int err)
{
	failing.calls = 0;
	failing.at = at;
	failing.on = false;
	failing.err = err;
	failing.what = NULL;
}

static inline bool fails(const char *what)
{
	int call = atomic_fetch_add(&failing.calls, 1) + 1;

	if (!failing.at || call < failing.at || (call > failing.at && !failing.on))
		return false;
	snprintf(failing.name, sizeof(failing.name), "%s", what);
	failing.what = failing.name;
	errno = failing.err;
	return true;
}

/* __wrap_NAME() with these parameters and arguments, which returns @failed when it fails. */
#define WRAP(type, name, params, args, failed)                       \
	type __real_##name params;                                   \
	type __wrap_##name params;                                   \
	type __wrap_##name params                                    \
	{                                                            \
		return fails(#name) ? (failed) : __real_##name args; \
	}

/* How many file descriptors are open: none may be left by what failed. */
static inline int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr;
}

#endif /* FAILING_H */
