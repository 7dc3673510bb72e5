// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Calls whose numbers tests/evidence/native-programs.t knows. The log beside it was recorded with
 *     gcc -static -o known known.c
 *     strace -f -ttt -C -a1 -s64 -qq -esignal=none --seccomp-bpf -etrace=TRACED -ostrace.log \
 *         sh -c 'exec ./known'
 * where TRACED is that of tools/evidence/strace_log.py.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define THREAD \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_CHILD_CLEARTID)

static char *map(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int unmap_seven(void *unused)
{
	(void)unused;
	for (int i = 0; i < 7; i++)
		munmap((void *)PAGE, PAGE);
	syscall(SYS_exit, 0);
	return 0;
}

static int sleep_in_vfork(void)
{
	char *argv[] = { (char *)"true", NULL };
	pid_t pid = vfork();

	if (!pid) {
		syscall(SYS_brk, 0);
		usleep(50000); /* so that the log has both halves of vfork */
		execv("/bin/true", argv);
		_exit(127);
	}
	return waitpid(pid, NULL, 0) != pid;
}

int main(void)
{
	static char stack[65536];
	static pid_t thread = 1;
	char *page[5];
	pid_t pid;
	int i;

	prctl(PR_SET_NAME, "begin");
	for (i = 0; i < 5; i++)
		page[i] = map();
	for (i = 0; i < 4; i++)
		mprotect(page[i], PAGE, PROT_READ);
	for (i = 0; i < 2; i++)
		mprotect((void *)PAGE, PAGE, PROT_READ); /* fails */
	for (i = 0; i < 3; i++)
		madvise(page[i], PAGE, MADV_DONTNEED);
	madvise(page[0], PAGE, MADV_RANDOM);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	clone(unmap_seven, stack + sizeof(stack), THREAD, NULL, NULL, NULL, &thread);
	while (__atomic_load_n(&thread, __ATOMIC_ACQUIRE))
		usleep(1000);
	sleep_in_vfork();
	pid = fork();
	if (!pid) {
		map();
		map();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	prctl(PR_SET_NAME, "end");
	munmap(page[0], PAGE);
	return 0;
}
