// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The file of --output: see output.h. */
#include "sys/output.h"
#include "sys/rights.h"
#include "sys/sticky.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The one file; zero without one, and for what is no regular file. */
static struct output {
	FILE *file;
	const char *path;
	bool made;   /* by us */
	off_t whole; /* so many bytes are whole records */
} output;

/* In a sticky directory, where somebody else may have put a name for a file of ours. Sets errno when not. */
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
	/* It is there; a link to nothing is too, and is made good as ever where it can be trusted. */
	fd = open(path, flags | (sticky ? O_NOFOLLOW : O_CREAT), 0666);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (!sticky || may_take(&st)) && (!S_ISREG(st.st_mode) || ftruncate(fd, 0) == 0))
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
	/* Where that fails it stays as it is. */
	if (ftruncate(fd, output.whole) || lseek(fd, output.whole, SEEK_SET) < 0)
		output.file = NULL;
}

/* Does the path still name the file that we made? */
static bool is_ours(void)
{
	struct stat here, there;

	return fstat(fileno(output.file), &here) == 0 && lstat(output.path, &there) == 0 && here.st_size == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
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
