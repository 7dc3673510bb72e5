// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Directories in which anybody may put names: see sticky.h. */
#include "sys/sticky.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool in_sticky_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	/* "/x" is in "/", "x" in ".". */
	char *dir = strndup(slash ? path : ".", slash && slash != path ? (size_t)(slash - path) : 1);
	struct stat st;
	bool trusted = dir && stat(dir, &st) == 0 && !(st.st_mode & S_ISVTX);

	free(dir);
	return !trusted;
}
