// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The files that the tool writes: see output.h. */
#include "sys/output.h"
#include "sys/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file of --output; zero without one, and when it is not a regular file. */
static struct output {
	FILE *file;
	const char *path;
	bool made;   /* by us */
	off_t whole; /* bytes of whole records */
} output;

bool in_sticky_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	/* "/x" is in "/", "x" in ".". */
	char *dir =
		strndup(slash ? path : ".", slash && slash != path ? (size_t)(slash - path) : 1);
	struct stat st;
	bool trusted = dir && stat(dir, &st) == 0 && !(st.st_mode & S_ISVTX);

	free(dir);
	return !trusted;
}

/* In a sticky directory another user may have made the name. Sets errno if so. */
static bool may_take(const struct stat *st)
{
	if (st->st_uid == geteuid() && st->st_nlink <= 1)
		return true;
	errno = st->st_uid == geteuid() ? EMLINK : EACCES;
	return false;
}

/* Returns a file descriptor, or -1 with errno set. */
static int open_carefully(const char *path, bool *made)
{
	const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
	bool sticky = in_sticky_directory(path);
	struct stat st;
	int fd = open(path, flags | O_CREAT | O_EXCL, 0666);

	*made = fd >= 0;
	if (fd >= 0 || errno != EEXIST)
		return fd;
	/* The name exists. Where it can be trusted, O_CREAT makes the target of a dangling link. */
	fd = open(path, flags | (sticky ? O_NOFOLLOW : O_CREAT), 0666);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (!sticky || may_take(&st)) &&
	    (!S_ISREG(st.st_mode) || ftruncate(fd, 0) == 0))
		return fd;
	close(fd);
	return -1;
}

FILE *output_open(const char *path)
{
	struct stat st;
	FILE *file;
	bool made;
	int fd;

	output = (struct output) {};
	if (rights_as_user())
		return NULL;
	fd = open_carefully(path, &made);
	rights_as_ourselves();
	if (fd < 0)
		return NULL;
	file = fdopen(fd, "w");
	if (file && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		output = (struct output) { .file = file, .path = path, .made = made };
	return file;
}

bool output_is(FILE *out, const char *path)
{
	struct stat here, there;

	return fstat(fileno(out), &here) == 0 && stat(path, &there) == 0 && S_ISREG(here.st_mode) &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

void output_is_whole(void)
{
	if (output.file)
		output.whole = ftello(output.file);
}

void output_cut(void)
{
	int fd;

	if (!output.file)
		return;
	fd = fileno(output.file);
	__fpurge(output.file);
	/* If that fails, the file stays as it is. */
	if (ftruncate(fd, output.whole) || lseek(fd, output.whole, SEEK_SET) < 0)
		output.file = NULL;
}

/* Does the path still name the file that we made? */
static bool is_ours(void)
{
	struct stat here, there;

	return fstat(fileno(output.file), &here) == 0 && lstat(output.path, &there) == 0 &&
	       here.st_size == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

void output_discard(void)
{
	if (!output.file || !output.made || fflush(output.file))
		return;
	if (rights_as_user())
		return;
	if (is_ours())
		unlink(output.path);
	rights_as_ourselves();
}

static int may_replace(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISLNK(st.st_mode) ? ELOOP : EINVAL;
		return -1;
	}
	/* root owns /tmp and may rename over any file there, so the kernel does not refuse. */
	if (st.st_uid == geteuid() || !in_sticky_directory(path))
		return 0;
	errno = EACCES;
	return -1;
}

/* mkostemp() makes a file that only its owner reads; the collector is another user. */
static int let_others_read(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

/* Remove the temporary file. Keeps errno, returns -1. */
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
