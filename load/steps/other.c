// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Another process that changes the load's address space from outside.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps/arena.h"
#include "steps/other.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

struct request {
	enum other_op op;
	uint64_t address;
};

/* --- the other process's side ----------------------------------------------------------------- */

static int open_file(pid_t pid, const char *name, int flags)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, flags | O_CLOEXEC);
}

static int clear_refs(pid_t pid)
{
	int fd = open_file(pid, "clear_refs", O_WRONLY);
	int err = fd < 0 || write(fd, "1", 1) != 1 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static int write_mem(pid_t pid, uint64_t address)
{
	int fd = open_file(pid, "mem", O_RDWR);
	int err = fd < 0 || pwrite(fd, "x", 1, (off_t)address) != 1 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static int poke(pid_t pid, uint64_t address)
{
	int err = 0, status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		return -errno;
	if (waitpid(pid, &status, __WALL) != pid || ptrace(PTRACE_POKEDATA, pid, address, 1))
		err = -errno;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return err;
}

static int advise(pid_t pid, uint64_t address, size_t len, int advice)
{
	struct iovec range = { (void *)address, len };
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int err = fd < 0 ? -errno : 0;

	if (!err && syscall(SYS_process_madvise, fd, &range, 1, advice, 0) != (long)len)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int serve(pid_t pid, const struct request *request)
{
	switch (request->op) {
	case OTHER_CLEAR_REFS:
		return clear_refs(pid);
	case OTHER_POKE:
		return poke(pid, request->address);
	case OTHER_WRITE_MEM:
		return write_mem(pid, request->address);
	case OTHER_COLD:
		return advise(pid, request->address, PAGE, MADV_COLD);
	case OTHER_COLLAPSE:
		return advise(pid, request->address, HUGE, MADV_COLLAPSE);
	}
	return -EINVAL;
}

/* Until the load closes the socket. */
static void __attribute__((noreturn)) serve_all(int socket, pid_t pid)
{
	struct request request;

	prctl(PR_SET_NAME, OTHER_COMM);
	while (read(socket, &request, sizeof(request)) == sizeof(request)) {
		int result = serve(pid, &request);

		if (write(socket, &result, sizeof(result)) != sizeof(result))
			break;
	}
	_exit(0);
}

/* --- the load's side -------------------------------------------------------------------------- */

int other_start(struct other *other)
{
	pid_t self = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	other->pid = fork();
	if (!other->pid) {
		close(pair[0]);
		serve_all(pair[1], self);
	}
	close(pair[1]);
	other->socket = pair[0];
	return other->pid < 0 ? -errno : 0;
}

/* The other's ptrace() stops this thread and interrupts its read(). */
int other_do(struct other *other, enum other_op op, uint64_t address)
{
	const struct request request = { op, address };
	int result;
	ssize_t n;

	if (write(other->socket, &request, sizeof(request)) != sizeof(request))
		return -errno;
	do
		n = read(other->socket, &result, sizeof(result));
	while (n < 0 && errno == EINTR);
	return n == sizeof(result) ? result : -EIO;
}

void other_stop(struct other *other)
{
	close(other->socket);
	waitpid(other->pid, NULL, 0);
}
