// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * unborn: a process forks, and another one copies into the child's memory as soon as it has the FORK
 * event: before fork() has given the child its numbers, or just after.
 * unborn: it fills PAGES pages of each child.
 * unborn chain: its copies fail first (EFAULT), and fill the pages when the child is there.
 * Exits with 0 if all of that happened.
 */
#define _GNU_SOURCE
#include "lib/rig.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 5
#define PAGES 20
#define BORN_US 100000
#define TIMEOUT_S 60

static long page;

static int copy_page(int uffd, const char *dst, const char *src)
{
	struct uffdio_copy copy = { .dst = (__u64)dst, .src = (__u64)src, .len = (__u64)page };

	return ioctl(uffd, UFFDIO_COPY, &copy) ? errno : 0;
}

/* Copy all pages; each copy must return @want. */
static bool copy_all(int uffd, const char *dst, const char *src, int want)
{
	for (int i = 0; i < PAGES; i++)
		if (copy_page(uffd, dst + i * page, src) != want)
			return false;
	return true;
}

/* The other process. @dst: the parent's memory; the children have theirs at the same address. */
static int handle(int uffd, const char *dst, bool chain)
{
	char *src = mmap(NULL, (size_t)(2 * page), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	char *gone = src + page;
	struct pollfd event = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (src == MAP_FAILED || munmap(gone, (size_t)page))
		return 1;
	for (int i = 0; i < CHILDREN; i++) {
		if (poll(&event, 1, -1) != 1 || read(uffd, &msg, sizeof(msg)) != sizeof(msg) ||
		    msg.event != UFFD_EVENT_FORK)
			return 1;
		const int child = (int)msg.arg.fork.ufd;

		if (chain && !copy_all(child, dst, gone, EFAULT))
			return 1;
		if (chain)
			usleep(BORN_US);
		if (!copy_all(child, dst, src, 0))
			return 1;
		close(child);
	}
	return 0;
}

/* Waits until the pages are there. */
static int touch(const volatile char *dst)
{
	for (int i = 0; i < PAGES; i++)
		(void)dst[i * page];
	return 0;
}

int main(int argc, char **argv)
{
	int uffd = rig_uffd_open(UFFD_FEATURE_EVENT_FORK), status;
	pid_t handler;
	char *dst;

	(void)argv;
	alarm(TIMEOUT_S); /* else a fork whose event nobody reads never returns */
	page = sysconf(_SC_PAGESIZE);
	dst = mmap(NULL, (size_t)(PAGES * page), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (uffd < 0 || dst == MAP_FAILED)
		return 1;
	handler = fork();
	if (!handler)
		_exit(handle(uffd, dst, argc > 1));
	if (handler < 0 ||
	    rig_register(uffd, (__u64)dst, (__u64)(PAGES * page), UFFDIO_REGISTER_MODE_MISSING))
		return 1;
	for (int i = 0; i < CHILDREN; i++) {
		const pid_t child = fork();

		if (!child)
			_exit(touch(dst));
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			return 1;
	}
	return waitpid(handler, &status, 0) != handler || status;
}
