// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Replacing a file in one step: see replace.h. */
#include "sys/replace.h"
#include "sys/sticky.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int may_replace(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISLNK(st.st_mode) ? ELOOP : EINVAL;
		return -1;
	}
	/* The owner of the directory may rename over anybody's file, and /tmp is root's. */
	if (st.st_uid == geteuid() || !in_sticky_directory(path))
		return 0;
	errno = EACCES;
	return -1;
}

/* mkostemp() makes a file for its owner alone; a collector is another user. */
static int let_others_read(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

/* Drop what was begun; errno stays. */
static int give_up(struct replace *r)
{
	int err = errno;

	unlink(r->temporary);
	free(r->temporary);
	errno = err;
	return -1;
}

int replace_begin(struct replace *r, const char *path)
{
	int fd;

	if (may_replace(path))
		return -1;
	r->path = path;
	if (asprintf(&r->temporary, "%s.XXXXXX", path) < 0)
		return -1;
	fd = mkostemp(r->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(r->temporary);
		return -1;
	}
	r->out = let_others_read(fd) ? NULL : fdopen(fd, "w");
	if (r->out)
		return 0;
	close(fd);
	return give_up(r);
}

int replace_end(struct replace *r)
{
	int err = fflush(r->out) || ferror(r->out) ? errno ?: EIO : 0;

	if (fclose(r->out) && !err)
		err = errno;
	errno = err;
	if (err || rename(r->temporary, r->path))
		return give_up(r);
	free(r->temporary);
	return 0;
}
