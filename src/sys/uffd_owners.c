// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Which processes hold a userfaultfd: see uffd_owners.h. */
#include "sys/uffd_owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UFFD_LINK "anon_inode:[userfaultfd]"

/* Open the directory @name in @at, or return NULL. */
static DIR *open_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static bool is_uffd(int fds, const char *name)
{
	char link[sizeof(UFFD_LINK)];
	ssize_t n = readlinkat(fds, name, link, sizeof(link));

	return n == sizeof(UFFD_LINK) - 1 && !memcmp(link, UFFD_LINK, (size_t)n);
}

static bool holds_uffd(int process, bool *hidden)
{
	DIR *fds = open_directory(process, "fd");
	const struct dirent *e;
	bool found = false;

	/* A process that ended meanwhile hides nothing. */
	if (!fds) {
		*hidden |= errno == EACCES || errno == EPERM;
		return false;
	}
	while (!found && (e = readdir(fds)))
		found = is_uffd(dirfd(fds), e->d_name);
	closedir(fds);
	return found;
}

static void read_comm(int process, char comm[17])
{
	int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, comm, 16);

	if (fd >= 0)
		close(fd);
	comm[n > 0 ? n : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
}

static void look_at(struct uffd_owners *o, int process, pid_t pid)
{
	struct uffd_owner *owner;

	if (!holds_uffd(process, &o->hidden) || o->nr++ >= MAX_UFFD_OWNERS)
		return;
	owner = &o->first[o->nr - 1];
	owner->pid = pid;
	read_comm(process, owner->comm);
}

void uffd_owners_find(struct uffd_owners *o, const char *proc)
{
	DIR *all = open_directory(AT_FDCWD, proc);
	const struct dirent *e;

	*o = (struct uffd_owners) { .hidden = !all };
	while (all && (e = readdir(all))) {
		const pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		int process;

		if (pid <= 0 || pid == getpid())
			continue;
		process = openat(dirfd(all), e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		look_at(o, process, pid);
		close(process);
	}
	if (all)
		closedir(all);
}
