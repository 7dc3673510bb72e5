// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * stacked N: N retry windows, held open while a named function calls another one, which makes the
 * system call mprotect() that the window meets. The stacks of the writer are known: it has frame
 * pointers (mk/check.mk), and no function of the C library is between.
 * stacked N NAME: the same from a copy of the program in a memfd of that name.
 */
#include "lib/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long page;

long stacked_inner(void *at);
long stacked_outer(void *at);

static void die(const char *what, int err)
{
	fprintf(stderr, "stacked: %s: %s\n", what, strerror(-err));
	exit(1);
}

/* Without the C library, whose functions have no frame pointers. To the same protection. */
__attribute__((noinline)) long stacked_inner(void *at)
{
	long ret;

	/* A function that calls no other has no frame, unless it asks for it. */
	asm volatile("" : : "r"(__builtin_frame_address(0)));
#ifdef __x86_64__
	register long prot asm("rdx") = PROT_READ;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "a"(SYS_mprotect), "D"(at), "S"(page), "r"(prot)
		     : "rcx", "r11", "memory");
#else
	register long x8 asm("x8") = SYS_mprotect, x0 asm("x0") = (long)at, x1 asm("x1") = page,
			 x2 asm("x2") = PROT_READ;

	asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	ret = x0;
#endif
	return ret;
}

__attribute__((noinline)) long stacked_outer(void *at)
{
	long ret = stacked_inner(at);

	/* Something to do after the call: no tail call. */
	asm volatile("" ::: "memory");
	return ret;
}

/* Starts anew from a memfd, with @nr as the only argument. */
static void become_memfd(char *nr, const char *name)
{
	int self = open("/proc/self/exe", O_RDONLY), memfd = memfd_create(name, MFD_CLOEXEC);

	while (sendfile(memfd, self, NULL, 1 << 20) > 0)
		;
	fexecve(memfd, (char *[]) { "stacked", nr, NULL }, environ);
	die("memfd", -errno);
}

int main(int argc, char **argv)
{
	int nr = argc >= 2 ? atoi(argv[1]) : 0, err;
	struct rig_target target;
	struct rig *rig;
	void *at;

	page = (unsigned long)sysconf(_SC_PAGESIZE);
	at = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (nr < 1 || at == MAP_FAILED)
		return 64;
	if (argc == 3)
		become_memfd(argv[1], argv[2]);
	prctl(PR_SET_NAME, "a;b c\n");
	err = rig_create(&rig, "b");
	if (!err)
		err = rig_target_open(&target, RIG_ANON, (size_t)nr);
	if (err)
		die("set-up", err);
	for (int i = 0; i < nr; i++) {
		const struct rig_copy copy = {
			.uffd = target.uffd,
			.dst = target.start + (unsigned long)i * page,
			.len = page,
		};

		err = rig_start(rig, &copy);
		if (err != 1)
			die("window", err);
		if (stacked_outer(at))
			die("mprotect", -1);
		err = rig_go_on(rig, RIG_FILL);
		if (err)
			die("copy", err);
	}
	rig_destroy(rig);
	rig_target_close(&target);
	return 0;
}
