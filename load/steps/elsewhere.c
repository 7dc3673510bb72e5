// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a program can do to its address space away from the destination.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/rig.h"
#include "steps/elsewhere.h"

#define THREAD_STACK_PAGES 16

static int elsewhere_touch(struct ground *ground)
{
	size_t i;

	if (madvise((void *)ground->scratch, 4 * PAGE, MADV_DONTNEED))
		return -errno;
	for (i = 0; i < 4; i++)
		*(volatile char *)(ground->scratch + i * PAGE) = 1;
	return 0;
}

static int elsewhere_maps(void)
{
	static char text[1024];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	close(fd);
	return n > 0 ? 0 : -EIO;
}

/* Larger than any gap that another step leaves: the kernel must not put it beside a destination. */
static int elsewhere_mmap(void)
{
	size_t len = 1024 * PAGE;
	void *area = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED || munmap(area, len) ? -errno : 0;
}

static int elsewhere_protect(struct ground *ground)
{
	void *page = (void *)(ground->scratch + 8 * PAGE);

	return mprotect(page, PAGE, PROT_READ) || mprotect(page, PAGE, PROT_READ | PROT_WRITE)
		       ? -errno
		       : 0;
}

/* Below vm.mmap_min_addr nothing is mapped; the kernel takes mmap_lock for write nevertheless. */
static int elsewhere_protect_fails(void)
{
	return mprotect((void *)PAGE, PAGE, PROT_READ) && errno == ENOMEM ? 0 : -EIO;
}

static int elsewhere_unmap_nothing(void)
{
	return munmap((void *)PAGE, PAGE) ? -errno : 0;
}

static int elsewhere_mremap(struct ground *ground)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	void *from = (void *)(ground->hole + PAGE), *to = (void *)(ground->hole + 3 * PAGE);
	int err = arena_map(&ground->arena, (uint64_t)from, 1, &ordinary);

	if (err)
		return err;
	if (mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
		return -errno;
	return arena_clear(&ground->arena, (uint64_t)from, 3);
}

/* Not through the C library: the address sanitizer makes its mlock() and munlock() do nothing. */
static int elsewhere_lock(struct ground *ground)
{
	void *page = (void *)(ground->scratch + 12 * PAGE);

	return syscall(SYS_mlock, page, PAGE) || syscall(SYS_munlock, page, PAGE) ? -errno : 0;
}

/* Back afterwards: malloc must find the break where it left it. */
static int elsewhere_brk(void)
{
	long now = syscall(SYS_brk, 0);
	long grown = syscall(SYS_brk, now + (long)PAGE);

	syscall(SYS_brk, now);
	return grown == now + (long)PAGE ? 0 : -ENOMEM;
}

/* Runs with the caller's thread pointer: it may not touch thread-local data. */
static int exit_at_once(void *unused)
{
	(void)unused;
	return 0;
}

/* Not by pthread_create(): glibc reuses the stacks of ended threads and would map none. */
static int elsewhere_thread(struct ground *ground)
{
	static pid_t running;
	const struct mapping ordinary = { .backing = BACKED_ANON };
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		    CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	uint64_t stack = ground->hole + 8 * PAGE;
	int err = arena_map(&ground->arena, stack, THREAD_STACK_PAGES, &ordinary);

	if (err)
		return err;
	running = 1;
	if (clone(exit_at_once, (void *)(stack + THREAD_STACK_PAGES * PAGE), flags, NULL, NULL,
		  NULL, &running) < 0)
		return -errno;
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &running, FUTEX_WAIT, 1, NULL, NULL, 0);
	return arena_clear(&ground->arena, stack, THREAD_STACK_PAGES);
}

/* A page lower each time, at most STACK_ROOM times. */
static int elsewhere_stack_grows(struct ground *ground)
{
	ground->stack -= PAGE;
	*(volatile char *)ground->stack = 1;
	return 0;
}

static int elsewhere_close_uffd(void)
{
	int fd = rig_uffd_open(0);

	return fd < 0 ? fd : close(fd);
}

int elsewhere_do(struct ground *ground, enum elsewhere what)
{
	switch (what) {
	case ELSEWHERE_DONTNEED:
		return madvise((void *)ground->scratch, 4 * PAGE, MADV_DONTNEED) ? -errno : 0;
	case ELSEWHERE_TOUCH:
		return elsewhere_touch(ground);
	case ELSEWHERE_MAPS:
		return elsewhere_maps();
	case ELSEWHERE_MMAP:
		return elsewhere_mmap();
	case ELSEWHERE_PROTECT:
		return elsewhere_protect(ground);
	case ELSEWHERE_PROTECT_FAILS:
		return elsewhere_protect_fails();
	case ELSEWHERE_UNMAP_NOTHING:
		return elsewhere_unmap_nothing();
	case ELSEWHERE_MREMAP:
		return elsewhere_mremap(ground);
	case ELSEWHERE_LOCK:
		return elsewhere_lock(ground);
	case ELSEWHERE_BRK:
		return elsewhere_brk();
	case ELSEWHERE_THREAD:
		return elsewhere_thread(ground);
	case ELSEWHERE_STACK_GROWS:
		return elsewhere_stack_grows(ground);
	case ELSEWHERE_CLOSE_UFFD:
		return elsewhere_close_uffd();
	default:
		return -EINVAL;
	}
}
