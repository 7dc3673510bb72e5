/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Replace a file's content in one step: whoever opens it reads the old or the new one, whole. */
#ifndef REPLACE_H
#define REPLACE_H

#include <stdio.h>

/* A file that is being written. */
struct replace {
	const char *path;
	char *temporary; /* beside it, for rename(2) works within one file system */
	FILE *out;
};

/*
 * replace_begin() - open a temporary file FILE.XXXXXX beside @path, which a textfile collector does not look at; write
 * to @r->out. A @path that is there must be a regular file: renaming over a device or a link is never what was meant.
 * In a sticky directory, such as /tmp, it must be ours. Returns 0, or -1 with errno set and nothing left behind.
 */
int replace_begin(struct replace *r, const char *path);

/*
 * replace_end() - the content is complete: let it be @r->path. The mode is what creat(2) would give. Nothing is synced:
 * after a crash of the machine the counters are worthless anyway. Returns 0, or -1 with errno set, the temporary file
 * removed and the old content untouched.
 */
int replace_end(struct replace *r);

#endif /* REPLACE_H */
