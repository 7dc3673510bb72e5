// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * heirs: processes, one after the other on one CPU, so that each is likely to get the mm of the one
 * before at the same address. Each copies one page to the same place: the first fails (EFAULT) and is
 * gone, the second succeeds, and so on. Exits with 0 if they did.
 * heirs exec: one process that executes itself as often. Two fail, two succeed, and so on: the mm of
 * an image is free when its successor has one, so the next but one gets it.
 */
#define _GNU_SOURCE
#include "lib/rig.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAIRS 20
#define DST 0x7e0000000000

/* Returns the copy's errno, or -1. */
static int copy_page(bool fails)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct uffdio_copy copy = { .dst = DST, .len = (__u64)page };
	int uffd = rig_uffd_open(0);
	char *source = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (uffd < 0 || source == MAP_FAILED ||
	    mmap((void *)DST, (size_t)page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)DST ||
	    rig_register(uffd, DST, (__u64)page, UFFDIO_REGISTER_MODE_MISSING) ||
	    (fails && munmap(source, (size_t)page)))
		return -1;
	copy.src = (__u64)source;
	return ioctl(uffd, UFFDIO_COPY, &copy) ? errno : 0;
}

/* Image @nr of the process. */
static int succeed(char *self, int nr)
{
	const int want = nr / 2 % 2 ? 0 : EFAULT;
	char next[16];

	if (nr == 2 * PAIRS)
		return 0;
	if (copy_page(want != 0) != want)
		return 1;
	snprintf(next, sizeof(next), "%d", nr + 1);
	execl("/proc/self/exe", self, "exec", next, NULL);
	return 1;
}

int main(int argc, char **argv)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return 1;
	if (argc > 1)
		return succeed(argv[0], argc > 2 ? atoi(argv[2]) : 0);
	for (int i = 0; i < 2 * PAIRS; i++) {
		const int want = i % 2 ? 0 : EFAULT;
		const pid_t child = fork();
		int status;

		if (!child)
			_exit(copy_page(want) != want);
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			return 1;
	}
	return 0;
}
