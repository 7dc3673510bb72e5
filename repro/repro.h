// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// userfaultfd calls for the reproducers, one line each, and how they end. A call that fails ends the
// program with status 77.
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096UL
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static inline long must(long result, const char *what)
{
	if (result == -1)
		err(77, "%s", what);
	return result;
}

static inline void *map(void *at, size_t len, int flags, int fd, size_t offset)
{
	flags |= at ? MAP_FIXED : 0;
	return (void *)must((long)mmap(at, len, PROT_READ | PROT_WRITE, flags, fd, (off_t)offset),
			    "mmap");
}

static inline pthread_t start(void *(*function)(void *), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, arg))
		errx(77, "no thread");
	return thread;
}

static inline int uffd_open(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = (int)must(syscall(SYS_userfaultfd, O_CLOEXEC), "userfaultfd");

	must(ioctl(fd, UFFDIO_API, &api), "UFFDIO_API");
	return fd;
}

static inline void uffd_register(int fd, void *start, size_t len)
{
	struct uffdio_register arg = { .range = { (size_t)start, len },
				       .mode = UFFDIO_REGISTER_MODE_MISSING };

	must(ioctl(fd, UFFDIO_REGISTER, &arg), "UFFDIO_REGISTER");
}

static inline const char *uffd_copy(int fd, void *dst, void *src, size_t len)
{
	struct uffdio_copy arg = { .dst = (size_t)dst, .src = (size_t)src, .len = len };

	return ioctl(fd, UFFDIO_COPY, &arg) ? strerrorname_np(errno) : "ok";
}

/* The last lines, and the exit status: 0 the kernel is right, 1 the bug is there. */
static inline int judge(bool right, const char *expected, const char *seen)
{
	printf("expected: %s\nseen: %s\n%s\n", expected, seen,
	       right ? "The kernel is right." : "The bug is there.");
	return right ? 0 : 1;
}

/* The last lines where no answer is known to be wrong, and the exit status. */
static inline int ask(const char *question, const char *seen)
{
	printf("expected: an open question: %s\nseen: %s\n", question, seen);
	return 0;
}
