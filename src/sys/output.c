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

/*
 * Lock the whole file until its last descriptor is closed. Not flock(2): the caller may hold that
 * one. A file system without locks does not tell of another run.
 * Returns 0, or -1 with errno EBUSY: another run writes there. Both would be lost.
 */
static int lock_file(int fd, short type)
{
	struct flock all = { .l_type = type, .l_whence = SEEK_SET };

	if (!fcntl(fd, F_OFD_SETLK, &all) || (errno != EAGAIN && errno != EACCES))
		return 0;
	errno = EBUSY;
	return -1;
}

static bool is_same_file(int fd, const struct stat *there)
{
	struct stat here;

	return fstat(fd, &here) == 0 && S_ISREG(here.st_mode) && here.st_dev == there->st_dev &&
	       here.st_ino == there->st_ino;
}

static bool is_named(const struct directory *d, int fd)
{
	struct stat there;

	return fstatat(d->fd, d->name, &there, 0) == 0 && is_same_file(fd, &there);
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * NFS and FUSE rename a file that is removed while it is open, and remove it when it is closed. Has @fd,
 * opened as @path, such a name by now?
 */
static bool is_hidden(int fd, const char *path)
{
	const char *given = strrchr(path, '/'), *name;
	char link[32], now[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, now, sizeof(now) - 1);
	if (length < 0)
		return false;
	now[length] = '\0';
	name = strrchr(now, '/');
	if (!name || !strcmp(name + 1, given ? given + 1 : path))
		return false;
	return !strncmp(name, "/.nfs", 5) || !strncmp(name, "/.fuse_hidden", 13);
}

static bool has_name(int fd, const char *path)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0 && !is_hidden(fd, path);
}

/* Does nobody hold a lock for writing? Whoever may read the file can hold one for reading. */
static bool has_no_writer(int fd)
{
	struct flock all = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return !fcntl(fd, F_OFD_GETLK, &all) && all.l_type == F_UNLCK;
}

/* Lock a regular file, if no other run has replaced it since @fd was opened by that name. */
static int lock_named(const struct directory *d, int fd, short type)
{
	if (!is_regular(fd))
		return 0;
	if (lock_file(fd, type))
		return -1;
	errno = EBUSY;
	return is_named(d, fd) ? 0 : -1;
}

/* Close @fd, if there is one. Keeps errno. */
static void release(int fd)
{
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
}

static int open_carefully(const char *path, bool *made)
{
	struct directory d;
	int fd;

	if (directory_open(&d, path))
		return -1;
	fd = open_in(&d, made);
	if (fd >= 0 && lock_named(&d, fd, F_WRLCK) && !(is_named(&d, fd) && has_no_writer(fd))) {
		errno = EBUSY;
		release(fd);
		fd = -1;
	}
	release(d.fd);
	return fd;
}

/* The FILE of @fd, or NULL with errno set and @fd closed. */
static FILE *take(struct output *o, int fd, const char *path, bool made)
{
	FILE *file = fdopen(fd, "w");

	if (!file)
		release(fd);
	else if (is_regular(fd))
		*o = (struct output) {
			.file = file, .path = path, .made = made, .named = has_name(fd, path)
		};
	/* Where the file is truncated meanwhile, it goes on at its end. */
	if (o->file)
		fcntl(fd, F_SETFL, O_APPEND);
	return file;
}

FILE *output_open(struct output *o, const char *path)
{
	bool made;
	int fd;

	*o = (struct output) {};
	if (rights_as_user())
		return NULL;
	fd = open_carefully(path, &made);
	rights_as_ourselves();
	return fd < 0 ? NULL : take(o, fd, path, made);
}

bool output_holds_more(const struct output *o)
{
	struct stat st;

	return o->file && fstat(fileno(o->file), &st) == 0 && st.st_size > 0;
}

bool output_is(FILE *out, const char *path)
{
	struct stat there;

	return stat(path, &there) == 0 && is_same_file(fileno(out), &there);
}

bool output_is_fd(FILE *out, int fd)
{
	struct stat there;

	return fstat(fd, &there) == 0 && is_same_file(fileno(out), &there);
}

void output_is_whole(struct output *o)
{
	if (o->file)
		o->whole = ftello(o->file);
}

/* Returns 0, or -1 with errno set. What is not longer needs no right to truncate. */
static int cut_to(int fd, off_t size)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size <= size ? 0 : ftruncate(fd, size);
}

void output_cut(struct output *o)
{
	int fd;

	if (!o->file)
		return;
	fd = fileno(o->file);
	__fpurge(o->file);
	/* If the cut fails, the file stays as it is, and is named. */
	if (!cut_to(fd, o->whole))
		lseek(fd, o->whole, SEEK_SET);
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
static int make_temporary(struct replace *r, mode_t mode)
{
	/* Who guesses the name can only make us fail: O_EXCL. */
	unsigned int number = (unsigned int)(now_ns() ^ (__u64)getpid() << 16) & 0xffffff;

	if (asprintf(&r->temporary, "%s.%06x", r->directory.name, number) < 0) {
		r->temporary = NULL;
		return -1;
	}
	return openat(r->directory.fd, r->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
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

int replace_begin(struct replace *r, const char *path, mode_t mode)
{
	int fd;

	*r = (struct replace) {};
	if (directory_open(&r->directory, path))
		return -1;
	fd = may_replace(&r->directory) ? -1 : make_temporary(r, mode);
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

/* Close the temporary file, which stays. Returns 0, or -1 with errno set. */
static int finish(struct replace *r)
{
	int err = fflush(r->out) || ferror(r->out) ? errno ?: EIO : 0;

	if (fclose(r->out) && !err)
		err = errno;
	r->out = NULL;
	r->written = !err;
	errno = err;
	return err ? -1 : 0;
}

static int take_name(const struct replace *r)
{
	return renameat(r->directory.fd, r->temporary, r->directory.fd, r->directory.name);
}

/* The name had no file. Another run may have made one by now: EBUSY. */
static int take_free_name(const struct replace *r)
{
	if (!renameat2(r->directory.fd, r->temporary, r->directory.fd, r->directory.name,
		       RENAME_NOREPLACE))
		return 0;
	if (errno == EINVAL) /* the file system cannot */
		return take_name(r);
	if (errno == EEXIST)
		errno = EBUSY;
	return -1;
}

/* The file that replace_end() made last: its lock keeps other runs from it. */
static int kept = -1;

/* Nobody may begin to write what is replaced now. Returns the lock, or -1 with errno set. */
static int lock_old(const struct directory *d)
{
	const int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;
	int fd = openat(d->fd, d->name, O_RDWR | flags);

	/* Of two runs that replace it at the same time, one gets this lock. */
	if (fd >= 0 && !lock_named(d, fd, F_WRLCK))
		return fd;
	if (fd < 0 && errno == EACCES)
		fd = openat(d->fd, d->name, O_RDONLY | flags);
	/* Whoever may read it could hold a lock for that: this is no writer. */
	if (fd < 0 || !lock_named(d, fd, F_RDLCK))
		return fd;
	release(fd);
	return -1;
}

/* Take the name unless another run has it. Returns 0, or -1 with errno set. */
static int take_over(const struct replace *r)
{
	int old, err;

	if (is_named(&r->directory, kept))
		return take_name(r);
	old = lock_old(&r->directory);
	if (old < 0)
		return errno == ENOENT ? take_free_name(r) : -1;
	err = take_name(r);
	release(old);
	return err;
}

int replace_end(struct replace *r)
{
	int lock = fcntl(fileno(r->out), F_DUPFD_CLOEXEC, 0);
	bool done;

	/* Before anybody finds it by the name. */
	lock_file(lock, F_WRLCK);
	done = !finish(r) && !take_over(r);
	release(done ? kept : lock);
	if (!done)
		return give_up(r);
	kept = lock;
	forget(r);
	return 0;
}

/* Give the new file @fd the owner, group and mode of the one that it replaces. False: it cannot. */
static bool resemble(int fd, const struct stat *st)
{
	/* The mode is the last: it lets in the group, and whom an inherited list names. */
	return !has_acl(fd) && !fchown(fd, st->st_uid, st->st_gid) &&
	       !fchmod(fd, st->st_mode & 0777);
}

/*
 * Write the report into a temporary file, through the FILE that the caller has. False: that cannot
 * be, as where we may write to the file, and not make one like it beside it; the file is emptied
 * then.
 */
static bool begin_beside(struct output *o)
{
	struct stat st;

	/* Only a plain file: the name may be a link, and a second name is to see the report too. */
	if (lstat(o->path, &st) || !S_ISREG(st.st_mode) || st.st_nlink > 1 ||
	    has_acl(fileno(o->file)))
		return false;
	if (replace_begin(&o->replace, o->path, 0600))
		return false;
	o->lock = fcntl(fileno(o->file), F_DUPFD_CLOEXEC, 0);
	if (o->lock >= 0 && resemble(fileno(o->replace.out), &st) &&
	    dup3(fileno(o->replace.out), fileno(o->file), O_CLOEXEC) >= 0)
		return true;
	if (o->lock >= 0)
		close(o->lock);
	fclose(o->replace.out);
	give_up(&o->replace);
	return false;
}

int output_begin(struct output *o)
{
	if (!o->file)
		return 0;
	o->beside = output_holds_more(o) && begin_beside(o);
	return o->beside ? 0 : cut_to(fileno(o->file), 0);
}

/* Take the name of the file that we locked; or if that was moved away, the free name. */
static int take_back(const struct output *o)
{
	const struct replace *r = &o->replace;

	return is_named(&r->directory, o->lock) ? take_name(r) : take_free_name(r);
}

int output_end(struct output *o)
{
	if (!o->file)
		return 0;
	if (!o->beside && o->named && !has_name(fileno(o->file), o->path)) {
		errno = ENOENT;
		return -1;
	}
	if (!o->beside)
		return 0;
	/* The file may be a mount point, and the directory read-only by now. */
	if (finish(&o->replace) || take_back(o))
		return -1;
	forget(&o->replace);
	close(o->lock);
	o->beside = false;
	return 0;
}

int output_reached(FILE *out)
{
	int fd = fileno(out), copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? 0 : close(copy);
}

const char *output_left(const struct output *o)
{
	static char path[PATH_MAX];
	const char *slash;

	if (!o->beside || !output_holds_more(o))
		return NULL;
	slash = strrchr(o->path, '/');
	snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash + 1 - o->path) : 0, o->path,
		 o->replace.temporary);
	return path;
}

bool output_left_whole(const struct output *o)
{
	return o->beside && o->replace.written;
}

/* Is it still the file that we made, and empty? */
static bool is_ours(const struct output *o, const struct directory *d)
{
	struct stat there;

	return fstatat(d->fd, d->name, &there, AT_SYMLINK_NOFOLLOW) == 0 && !there.st_size &&
	       is_same_file(fileno(o->file), &there);
}

/* Of a report that did not replace what the file held. */
static void leave_beside(struct output *o)
{
	if (!o->beside)
		return;
	if (o->replace.out)
		fclose(o->replace.out);
	if (output_holds_more(o))
		forget(&o->replace);
	else
		give_up(&o->replace);
	close(o->lock);
	o->beside = false;
}

void output_discard(struct output *o)
{
	struct directory d;

	leave_beside(o);
	if (!o->file || !o->made || fflush(o->file))
		return;
	if (rights_as_user())
		return;
	/* Not by the path: whoever owns a directory on the way may lead it elsewhere meanwhile. */
	if (!directory_open(&d, o->path)) {
		if (is_ours(o, &d))
			unlinkat(d.fd, d.name, 0);
		close(d.fd);
	}
	rights_as_ourselves();
}
