// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The directory of a file: see directory.h. */
#include "sys/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

bool has_acl(int fd)
{
	char path[32]; /* fgetxattr() takes no O_PATH */

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return getxattr(path, "system.posix_acl_access", NULL, 0) >= 0 ||
	       (errno != ENODATA && errno != EOPNOTSUPP);
}

/* If in doubt, true. */
static bool is_shared(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_mode & (S_ISVTX | S_IWOTH))
		return true;
	/* With umask 002 one's own directories are writable by the group that is one's own. */
	if (st.st_mode & S_IWGRP && (st.st_gid != getegid() || has_acl(fd)))
		return true;
	return st.st_uid != 0 && st.st_uid != geteuid();
}

static bool is_link(int at, const char *name)
{
	struct stat st;

	return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* Open the directory @name in @at. */
static int enter(int at, const char *name)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(at, name, flags | O_NOFOLLOW);

	if (fd >= 0 || errno != ENOTDIR)
		return fd;
	if (is_shared(at) && is_link(at, name)) {
		errno = ELOOP;
		return -1;
	}
	/* Where the link leads is the word of root or ours, so the kernel may follow. */
	return openat(at, name, flags);
}

/* Replace @fd by its directory @name, of @length bytes. Keeps errno when that fails. */
static int descend(int fd, const char *name, size_t length)
{
	char component[NAME_MAX + 1];
	int next = -1, err = ENAMETOOLONG;

	if (length <= NAME_MAX) {
		memcpy(component, name, length);
		component[length] = '\0';
		next = enter(fd, component);
		err = errno;
	}
	close(fd);
	errno = err;
	return next;
}

int directory_open(struct directory *d, const char *path)
{
	const char *end;
	int fd = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (; fd >= 0 && (end = strchr(path, '/')); path = end + 1)
		if (end > path)
			fd = descend(fd, path, (size_t)(end - path));
	if (fd < 0)
		return -1;
	*d = (struct directory) { .fd = fd, .name = path, .shared = is_shared(fd) };
	return 0;
}
