// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The processes that hold a userfaultfd: see uffd_list.h. */
#include "sys/uffd_list.h"
#include "lib/clock.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of a task in /proc/PID/stat; the kernel's PF_KTHREAD. */
#define TASK_IS_KTHREAD 0x00200000U

/* The kernel sets it in a userfaultfd's features after UFFDIO_API. No user asks for it. */
#define FEATURE_INITIALIZED (1ULL << 31)

/* Room for one more in an array of @nr. Returns it, zeroed, or NULL. */
static void *one_more(void *array, int *nr, size_t size)
{
	void **a = array;
	char *grown = reallocarray(*a, (size_t)*nr + 1, size);

	if (!grown)
		return NULL;
	*a = grown;
	return memset(grown + (size_t)(*nr)++ * size, 0, size);
}

static bool is_number(const char *name)
{
	return isdigit((unsigned char)name[0]);
}

/* Open @name in the directory @dir; NULL with errno. */
static FILE *open_in(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f && fd >= 0)
		close(fd);
	return f;
}

static DIR *open_directory(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

static void read_comm(int dir, char *comm, size_t size)
{
	FILE *f = open_in(dir, "comm");
	size_t got = f ? fread(comm, 1, size - 1, f) : 0;

	if (got && comm[got - 1] == '\n')
		got--;
	comm[got] = '\0';
	if (f)
		fclose(f);
}

/* Kernel threads and zombies have no file descriptors, but only root may see that. */
static bool has_no_files(int dir)
{
	FILE *f = open_in(dir, "stat");
	char text[1024], *rest, state;
	unsigned int flags;
	size_t got;

	if (!f)
		return true; /* it is gone */
	got = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[got] = '\0';
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
		return true;
	return state == 'Z' || flags & TASK_IS_KTHREAD;
}

/*
 * fdinfo: "API:	aa:FEATURES:IOCTLS", all hexadecimal; see userfaultfd_show_fdinfo(). Returns false
 * where there is no such line: a descriptor of O_PATH names the file, and holds no userfaultfd.
 */
static bool read_fdinfo(int dir, struct uffd_fd *fd)
{
	char name[32], line[256];
	bool holds = true;
	FILE *f;

	snprintf(name, sizeof(name), "fdinfo/%d", fd->fd);
	f = open_in(dir, name);
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "ino: %llu", &fd->inode);
		sscanf(line, "pending: %llu", &fd->pending);
		sscanf(line, "total: %llu", &fd->total);
		if (sscanf(line, "API: %*x:%llx:", &fd->features) == 1)
			fd->known = true;
	}
	fd->features &= ~FEATURE_INITIALIZED;
	if (f) {
		holds = fd->known || ferror(f);
		fclose(f);
	}
	return holds;
}

/* Not for lack of a descriptor or of memory: then we would call a holder none. */
static bool is_gone(int err)
{
	return err == -ENOENT || err == -ESRCH;
}

/*
 * 1, 0, or a negative errno: without its capabilities we see only the names in a process's fd. A path
 * can be too long for the kernel to tell: then it is a file's.
 */
static int is_userfaultfd(int fds, const char *name)
{
	char target[64];
	ssize_t got = readlinkat(fds, name, target, sizeof(target) - 1);

	if (got < 0)
		return is_gone(-errno) || errno == ENAMETOOLONG ? 0 : -errno;
	target[got] = '\0';
	return !strcmp(target, "anon_inode:[userfaultfd]");
}

/* How much is read, and until when: see uffd_list.h. */
struct extent {
	bool whole;
	__u64 until;
};

static bool is_over(const struct extent *e)
{
	return e->until && now_ns() > e->until;
}

static int add_fd(int dir, struct uffd_process *p, int number)
{
	struct uffd_fd fd = { .fd = number }, *kept;

	if (!read_fdinfo(dir, &fd))
		return 0;
	kept = one_more(&p->fds, &p->nr_fds, sizeof(fd));
	if (!kept)
		return -ENOMEM;
	*kept = fd;
	return 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct uffd_fd *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

/* Returns 0 or a negative errno. */
static int read_fds(int dir, struct uffd_process *p, const struct extent *e)
{
	DIR *fds = open_directory(dir, "fd");
	struct dirent *entry;
	int err = 0;

	if (!fds)
		return -errno;
	while (!err && (e->whole || !p->nr_fds) && (entry = readdir(fds))) {
		if (!is_number(entry->d_name))
			continue;
		err = is_over(e) ? -ETIME : is_userfaultfd(dirfd(fds), entry->d_name);
		if (err > 0)
			err = add_fd(dir, p, atoi(entry->d_name));
	}
	closedir(fds);
	if (p->nr_fds)
		qsort(p->fds, (size_t)p->nr_fds, sizeof(p->fds[0]), by_inode);
	return err;
}

/* "VmFlags: rd wr um uw": two letters each. */
static unsigned int modes_of(const char *line)
{
	return (strstr(line, " um") ? UFFD_MISSING : 0) | (strstr(line, " uw") ? UFFD_WP : 0) |
	       (strstr(line, " ui") ? UFFD_MINOR : 0) | (strstr(line, " ur") ? UFFD_RWP : 0);
}

static int read_ranges(int dir, struct uffd_process *p)
{
	FILE *f = open_in(dir, "smaps");
	struct uffd_range vma = {};
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	while (f && !err && getline(&line, &size, f) > 0) {
		struct uffd_range *range;

		/* Lower-case hexadecimal digits begin a VMA; all else begins with a capital. */
		if (!isupper((unsigned char)line[0])) {
			sscanf(line, "%llx-%llx ", &vma.start, &vma.end);
			continue;
		}
		if (strncmp(line, "VmFlags:", 8))
			continue;
		p->ranges_known = true; /* there is one for each VMA */
		vma.modes = modes_of(line);
		if (!vma.modes)
			continue;
		range = one_more(&p->ranges, &p->nr_ranges, sizeof(*range));
		if (range)
			*range = vma;
		else
			err = -ENOMEM;
	}
	free(line);
	if (f)
		fclose(f);
	return err;
}

static void free_process(struct uffd_process *p)
{
	free(p->fds);
	free(p->ranges);
}

static bool is_refused(int err)
{
	return err == -EACCES || err == -EPERM;
}

/* Add the process of the directory @dir to @l, if it holds a userfaultfd. */
static int read_process(struct uffd_list *l, int dir, pid_t pid, const struct extent *e)
{
	struct uffd_process p = { .pid = pid }, *kept;
	int err = read_fds(dir, &p, e);

	if (is_refused(err))
		l->unreadable += !has_no_files(dir);
	if (is_refused(err) || is_gone(err))
		err = 0;
	if (err || !p.nr_fds) {
		free_process(&p);
		return err;
	}
	read_comm(dir, p.comm, sizeof(p.comm));
	err = e->whole ? read_ranges(dir, &p) : 0;
	kept = err ? NULL : one_more(&l->processes, &l->nr, sizeof(p));
	if (!kept) {
		free_process(&p);
		return -ENOMEM;
	}
	*kept = p;
	return 0;
}

/* The same for the entry @name of the directory @proc. */
static int read_entry(struct uffd_list *l, int proc, const char *name, const struct extent *e)
{
	int dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (dir < 0) {
		l->hidden |= is_refused(-errno); /* hidepid=1 shows the names alone */
		return is_refused(-errno) || is_gone(-errno) ? 0 : -errno;
	}
	err = read_process(l, dir, atoi(name), e);
	close(dir);
	return err;
}

static int by_pid(const void *a, const void *b)
{
	const struct uffd_process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int uffd_list_read(struct uffd_list *l, const char *proc, bool whole, __u64 until)
{
	const struct extent e = { whole, until };
	DIR *all = opendir(proc);
	struct dirent *entry;
	bool has_init = false;
	int err = 0;

	*l = (struct uffd_list) {};
	if (!all)
		return -errno;
	while (!err && (entry = readdir(all))) {
		if (!is_number(entry->d_name))
			continue;
		has_init |= !strcmp(entry->d_name, "1");
		err = read_entry(l, dirfd(all), entry->d_name, &e);
	}
	closedir(all);
	/* Every pid namespace has a process 1. */
	l->hidden |= !has_init;
	if (l->nr)
		qsort(l->processes, (size_t)l->nr, sizeof(l->processes[0]), by_pid);
	return err;
}

void uffd_list_free(struct uffd_list *l)
{
	for (int i = 0; i < l->nr; i++)
		free_process(&l->processes[i]);
	free(l->processes);
	*l = (struct uffd_list) {};
}
