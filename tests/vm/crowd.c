// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * crowd N COMMAND...: start N idle processes at once. When all have ended, execute COMMAND. They
 * share our memory, because so many would run out of it.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 4096UL
#define MAX_PROCESSES 100000

static int idle(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return 0;
}

int main(int argc, char **argv)
{
	static pid_t pids[MAX_PROCESSES];
	long nr = argc > 2 ? atol(argv[1]) : 0, born = 0;
	char *stacks = mmap(NULL, MAX_PROCESSES * STACK, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (nr < 1 || nr > MAX_PROCESSES || stacks == MAP_FAILED)
		return 64;
	while (born < nr &&
	       (pids[born] = clone(idle, stacks + (size_t)(born + 1) * STACK, CLONE_VM, NULL)) > 0)
		born++;
	if (born < nr)
		perror("crowd: clone");
	for (long i = 0; i < born; i++)
		kill(pids[i], SIGKILL);
	for (long i = 0; i < born; i++)
		waitpid(pids[i], NULL, __WALL);
	if (born < nr)
		return 1;
	execvp(argv[2], &argv[2]);
	perror(argv[2]);
	return 1;
}
