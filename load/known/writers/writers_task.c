// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Writers that make processes and threads, or let a stack grow.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known/writers/writers.h"

static int run_fork(struct writers *w)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)w;
	if (!pid)
		syscall(SYS_exit_group, 0);
	return OR_ERRNO(pid < 0 || waitpid((pid_t)pid, NULL, 0) != pid);
}

static int run_clone3(struct writers *w)
{
	uint64_t args[11] = { [4] = SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));

	(void)w;
	if (!pid)
		syscall(SYS_exit_group, 0);
	return OR_ERRNO(pid < 0 || waitpid((pid_t)pid, NULL, 0) != pid);
}

/* Not inlined: the child runs on this stack, and must not change the caller's frame. */
static int __attribute__((noinline)) run_spawn(struct writers *w)
{
	char *argv[] = { (char *)"uffdload", (char *)"--handler=-1", (char *)"-1", NULL };
	char *envp[] = { NULL };
	pid_t pid = vfork();

	(void)w;
	if (!pid) {
		execve("/proc/self/exe", argv, envp);
		_exit(127);
	}
	return OR_ERRNO(pid < 0 || waitpid(pid, NULL, 0) != pid);
}

static int exit_at_once(void *unused)
{
	(void)unused;
	return 0;
}

static int run_thread(struct writers *w)
{
	static pid_t running;
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		    CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;

	running = 1;
	if (clone(exit_at_once, (void *)(w->area + AREA_PAGES * PAGE), flags, NULL, NULL, NULL,
		  &running) < 0)
		return -errno;
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &running, 0, 1, NULL, NULL, 0);
	return 0;
}

static int run_stack(struct writers *w)
{
	*(volatile char *)(w->ground.stack - PAGE) = 1;
	return 0;
}

static int before_stack_read(struct writers *w)
{
	return OR_ERRNO(pipe2(w->pipe, O_CLOEXEC) || write(w->pipe[1], "x", 1) != 1);
}

static int run_stack_read(struct writers *w)
{
	return OR_ERRNO(read(w->pipe[0], (void *)(w->ground.stack - PAGE), 1) != 1);
}

static int after_stack_read(struct writers *w)
{
	return OR_ERRNO(close(w->pipe[0]) || close(w->pipe[1]));
}

const struct operation task_operations[] = {
	{ .name = "fork",
	  .run = run_fork,
	  .writers = { { .op = "fork", .syscall = "clone", .covers = true } } },
	{ .name = "clone3",
	  .run = run_clone3,
	  .writers = { { .op = "fork", .syscall = "clone3", .covers = true } } },
	{ .name = "vfork-exec", .run = run_spawn },
	{ .name = "thread", .run = run_thread },
	{ .name = "stack-grows",
	  .run = run_stack,
	  .writers = { { .op = "stack growth", .syscall = "-" } },
	  .needs = "expand_stack_locked" },
	{ .name = "stack-grows-by-read",
	  .before = before_stack_read,
	  .run = run_stack_read,
	  .after = after_stack_read,
	  .writers = { { .op = "stack growth", .syscall = "-" } },
	  .needs = "expand_stack_locked" },
	{ 0 },
};
