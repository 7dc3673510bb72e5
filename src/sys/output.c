// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The files that the tool writes: see output.h. */
#include "sys/output.h"
#include "lib/clock.h"
#include "sys/directory.h"
#include "sys/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
	bool beside; /* the report is in a temporary file until it is whole */
	int lock;    /* then: keeps that of the file, whose descriptor the other one has taken */
	struct replace replace;
} output;

/* In a shared directory another user may have made the name. Sets errno if so. */
static bool may_take(const struct stat *st)
{
	if (st->st_uid == geteuid() && st->st_nlink <= 1)
		return true;
	errno = st->st_uid == geteuid() ? EMLINK : EACCES;
	return false;
}

/* Only the open may not wait. Returns 0, or -1 with errno set. */
static int wait_in_writes(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/* Returns a file descriptor, or -1 with errno set. */
static int open_in(const struct directory *d, bool *made)
{
	/* Where somebody else made a FIFO, an open that waits for its reader would never return. */
	const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;
	int fd = openat(d->fd, d->name, flags | O_CREAT | O_EXCL, 0666);

	*made = fd >= 0;
	if (fd >= 0 || errno != EEXIST)
		return fd;
	/* The name exists. Where it can be trusted, O_CREAT makes the target of a dangling link. */
	fd = openat(d->fd, d->name, flags | (d->shared ? O_NOFOLLOW : O_CREAT), 0666);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (!d->shared || may_take(&st)) && !wait_in_writes(fd))
		return fd;
	close(fd);
	return -1;
}

static int open_carefully(const char *path, bool *made)
{
	struct directory d;
	int fd, err;

	if (directory_open(&d, path))
		return -1;
	fd = open_in(&d, made);
	err = errno;
	close(d.fd);
	errno = err;
	return fd;
}

/*
 * Does another run write there? Both would be lost. Not flock(2): the caller may hold that one. A
 * file system without locks does not tell.
 */
static bool is_taken(int fd)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(fd, F_OFD_SETLK, &all) || (errno != EAGAIN && errno != EACCES))
		return false;
	errno = EBUSY;
	return true;
}

/* The FILE of @fd, or NULL with errno set and @fd closed. */
static FILE *take(int fd, const char *path, bool made)
{
	struct stat st;
	bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	FILE *file = regular && is_taken(fd) ? NULL : fdopen(fd, "w");
	int err = errno;

	if (!file)
		close(fd);
	else if (regular)
		output = (struct output) { .file = file, .path = path, .made = made };
	errno = err;
	return file;
}

FILE *output_open(const char *path)
{
	bool made;
	int fd;

	output = (struct output) {};
	if (rights_as_user())
		return NULL;
	fd = open_carefully(path, &made);
	rights_as_ourselves();
	return fd < 0 ? NULL : take(fd, path, made);
}

bool output_holds_more(void)
{
	struct stat st;

	return output.file && fstat(fileno(output.file), &st) == 0 && st.st_size > 0;
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

static int may_replace(const struct directory *d)
{
	struct stat st;

	if (fstatat(d->fd, d->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISLNK(st.st_mode) ? ELOOP : EINVAL;
		return -1;
	}
	/* root owns /tmp and may rename over any file there, so the kernel does not refuse. */
	if (st.st_uid == geteuid() || !d->shared)
		return 0;
	errno = EACCES;
	return -1;
}

/* Make a temporary file beside the one of @r. Returns a file descriptor, or -1 with errno set. */
static int make_temporary(struct replace *r)
{
	/* Who guesses the name can only make us fail: O_EXCL. */
	unsigned int number = (unsigned int)(now_ns() ^ (__u64)getpid() << 16) & 0xffffff;

	if (asprintf(&r->temporary, "%s.%06x", r->directory.name, number) < 0) {
		r->temporary = NULL;
		return -1;
	}
	/* As creat(2) would: the collector is another user. */
	return openat(r->directory.fd, r->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

/* Close and free what @r has. Keeps errno. */
static void forget(struct replace *r)
{
	int err = errno;

	free(r->temporary);
	close(r->directory.fd);
	errno = err;
}

/* Remove the temporary file. Keeps errno, returns -1. */
static int give_up(struct replace *r)
{
	int err = errno;

	unlinkat(r->directory.fd, r->temporary, 0);
	errno = err;
	forget(r);
	return -1;
}

int replace_begin(struct replace *r, const char *path)
{
	int fd;

	*r = (struct replace) {};
	if (directory_open(&r->directory, path))
		return -1;
	fd = may_replace(&r->directory) ? -1 : make_temporary(r);
	if (fd < 0) {
		forget(r);
		return -1;
	}
	r->out = fdopen(fd, "w");
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
	if (err || renameat(r->directory.fd, r->temporary, r->directory.fd, r->directory.name))
		return give_up(r);
	forget(r);
	return 0;
}

/*
 * Write the report into a temporary file, through the FILE that the caller has. False: that cannot
 * be, as where we may write to the file, and not make one beside it; the file is emptied then.
 */
static bool begin_beside(void)
{
	struct stat st;

	/* Only a plain file: the name may be a link, and a second name is to see the report too. */
	if (lstat(output.path, &st) || !S_ISREG(st.st_mode) || st.st_nlink > 1)
		return false;
	if (replace_begin(&output.replace, output.path))
		return false;
	output.lock = fcntl(fileno(output.file), F_DUPFD_CLOEXEC, 0);
	if (output.lock >= 0 && !fchmod(fileno(output.replace.out), st.st_mode & 0777) &&
	    dup3(fileno(output.replace.out), fileno(output.file), O_CLOEXEC) >= 0)
		return true;
	if (output.lock >= 0)
		close(output.lock);
	fclose(output.replace.out);
	give_up(&output.replace);
	return false;
}

int output_begin(void)
{
	if (!output.file)
		return 0;
	output.beside = output_holds_more() && begin_beside();
	return output.beside ? 0 : ftruncate(fileno(output.file), 0);
}

int output_end(void)
{
	int err;

	if (!output.file || !output.beside)
		return 0;
	output.beside = false;
	err = replace_end(&output.replace);
	close(output.lock);
	return err;
}

int output_reached(FILE *out)
{
	int fd = fileno(out), copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? 0 : close(copy);
}

const char *output_left(void)
{
	static char path[PATH_MAX];
	const char *slash;

	if (!output.beside || !output_holds_more())
		return NULL;
	slash = strrchr(output.path, '/');
	snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash + 1 - output.path) : 0,
		 output.path, output.replace.temporary);
	return path;
}

/* Is it still the file that we made, and empty? */
static bool is_ours(const struct directory *d)
{
	struct stat here, there;

	return fstat(fileno(output.file), &here) == 0 &&
	       fstatat(d->fd, d->name, &there, AT_SYMLINK_NOFOLLOW) == 0 && here.st_size == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Of a report that did not become whole. */
static void leave_beside(void)
{
	if (!output.beside)
		return;
	fclose(output.replace.out);
	if (output_holds_more())
		forget(&output.replace);
	else
		give_up(&output.replace);
	close(output.lock);
	output.beside = false;
}

void output_discard(void)
{
	struct directory d;

	leave_beside();
	if (!output.file || !output.made || fflush(output.file))
		return;
	if (rights_as_user())
		return;
	/* Not by the path: whoever owns a directory on the way may lead it elsewhere meanwhile. */
	if (!directory_open(&d, output.path)) {
		if (is_ours(&d))
			unlinkat(d.fd, d.name, 0);
		close(d.fd);
	}
	rights_as_ourselves();
}
