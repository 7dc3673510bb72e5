// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The external handler: a process that receives the userfaultfd over a socket and copies from its
// own memory.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps/arena.h"
#include "steps/cpu.h"
#include "steps/handler.h"

#define LAYOUT_MAX 80
#define LAYOUTS_MAX 32
/* Where the socket is in the new process. */
#define HANDLER_FD 3

extern char **environ;

enum request_op {
	REQUEST_PREPARE,
	REQUEST_BEGIN,
	REQUEST_RESOLVE,
	REQUEST_WRITE_OWN_MM,
};

/* BEGIN carries the userfaultfd beside it (SCM_RIGHTS). */
struct request {
	enum request_op op;
	enum rig_source how;
	struct rig_copy copy;
	char layout[LAYOUT_MAX];
};

struct reply {
	int status;
	struct rig_result result;
};

/* --- the load's side -------------------------------------------------------------------------- */

static int spawn(struct handler *handler, int theirs, int cpu)
{
	char option[32], where[16];
	char *argv[] = { (char *)"uffdload", option, where, NULL };
	posix_spawn_file_actions_t actions;
	int err;

	snprintf(option, sizeof(option), HANDLER_OPTION "%d", HANDLER_FD);
	snprintf(where, sizeof(where), "%d", cpu);
	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return -err;
	err = posix_spawn_file_actions_adddup2(&actions, theirs, HANDLER_FD);
	if (!err)
		err = posix_spawn(&handler->pid, "/proc/self/exe", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/*
 * Waits until it runs: until its exec the child holds our userfaultfds too, and the last close of
 * one takes our mmap_lock for write.
 */
int handler_start(struct handler *handler, int cpu)
{
	struct rig_result unused;
	int pair[2];
	int err;

	*handler = (struct handler) { .socket = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	err = spawn(handler, pair[1], cpu);
	close(pair[1]);
	if (err) {
		close(pair[0]);
		return err;
	}
	handler->socket = pair[0];
	return handler_wait(handler, true, &unused);
}

/* The handler ends when its socket is closed. */
void handler_stop(struct handler *handler)
{
	if (handler->socket >= 0)
		close(handler->socket);
	if (handler->pid > 0)
		waitpid(handler->pid, NULL, 0);
	*handler = (struct handler) { .socket = -1 };
}

int handler_kill(struct handler *handler, int *status)
{
	int err = 0;

	if (kill(handler->pid, SIGKILL) || waitpid(handler->pid, status, 0) != handler->pid)
		err = -errno;
	close(handler->socket);
	*handler = (struct handler) { .socket = -1 };
	return err;
}

static int send_request(struct handler *handler, const struct request *request, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)request, sizeof(*request) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr) {
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)),
		};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(handler->socket, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof(*request) ? 0
											 : -errno;
}

static int name_layout(struct request *request, const char *layout)
{
	if (strlen(layout) >= sizeof(request->layout))
		return -E2BIG;
	strcpy(request->layout, layout);
	return 0;
}

int handler_prepare(struct handler *handler, const char *layout)
{
	struct request request = { .op = REQUEST_PREPARE };
	struct rig_result unused;
	int err = name_layout(&request, layout);

	if (!err)
		err = send_request(handler, &request, -1);
	return err ? err : handler_wait(handler, true, &unused);
}

int handler_begin(struct handler *handler, const char *layout, const struct rig_copy *copy)
{
	struct request request = { .op = REQUEST_BEGIN, .copy = *copy };
	int err = name_layout(&request, layout);

	return err ? err : send_request(handler, &request, copy->uffd);
}

int handler_resolve(struct handler *handler, enum rig_source how)
{
	struct request request = { .op = REQUEST_RESOLVE, .how = how };

	return send_request(handler, &request, -1);
}

int handler_wait(struct handler *handler, bool block, struct rig_result *result)
{
	struct reply reply;
	ssize_t n = recv(handler->socket, &reply, sizeof(reply), block ? 0 : MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if (n != sizeof(reply))
		return -EPIPE;
	*result = reply.result;
	return reply.status;
}

int handler_write_own_mm(struct handler *handler)
{
	struct request request = { .op = REQUEST_WRITE_OWN_MM };
	struct rig_result unused;
	int err = send_request(handler, &request, -1);

	return err ? err : handler_wait(handler, true, &unused);
}

/* --- the handler's side ----------------------------------------------------------------------- */

/* One rig for each layout, made at its first use. */
struct workbench {
	struct rig *rigs[LAYOUTS_MAX];
	char layouts[LAYOUTS_MAX][LAYOUT_MAX];
	struct rig *current;
	int uffd; /* only while a copy is under way: the load's close must be the last one */
};

static int choose_rig(struct workbench *workbench, const char *layout)
{
	size_t i;
	int err;

	for (i = 0; i < LAYOUTS_MAX && workbench->rigs[i]; i++) {
		if (!strcmp(workbench->layouts[i], layout)) {
			workbench->current = workbench->rigs[i];
			return 0;
		}
	}
	if (i == LAYOUTS_MAX)
		return -ENOSPC;
	err = rig_create(&workbench->rigs[i], layout);
	if (err)
		return err;
	strcpy(workbench->layouts[i], layout);
	workbench->current = workbench->rigs[i];
	return 0;
}

static int end(struct workbench *workbench, int status)
{
	if (status > 0)
		return status;
	if (workbench->uffd >= 0)
		close(workbench->uffd);
	workbench->uffd = -1;
	return status ? status : rig_mend(workbench->current);
}

static int begin(struct workbench *workbench, struct request *request, int uffd)
{
	int err = choose_rig(workbench, request->layout);

	workbench->uffd = uffd;
	request->copy.uffd = uffd;
	return err ? err : end(workbench, rig_start(workbench->current, &request->copy));
}

static int resolve(struct workbench *workbench, enum rig_source how)
{
	return workbench->current ? end(workbench, rig_go_on(workbench->current, how)) : -EINVAL;
}

static int write_own_mm(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || munmap(page, PAGE))
		return -errno;
	return 0;
}

/* The number of bytes, 0 when the load is gone. */
static ssize_t receive_request(int socket, struct request *request, int *fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { request, sizeof(*request) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	*fd = -1;
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
	return n;
}

static void answer(struct workbench *workbench, struct request *request, int uffd,
		   struct reply *reply)
{
	switch (request->op) {
	case REQUEST_PREPARE:
		reply->status = choose_rig(workbench, request->layout);
		return;
	case REQUEST_BEGIN:
		reply->status = begin(workbench, request, uffd);
		break;
	case REQUEST_RESOLVE:
		reply->status = resolve(workbench, request->how);
		break;
	case REQUEST_WRITE_OWN_MM:
		reply->status = write_own_mm();
		return;
	}
	if (workbench->current)
		reply->result = rig_result(workbench->current);
}

int handler_main(int socket, int cpu)
{
	static struct workbench workbench = { .uffd = -1 };
	const struct reply ready = { 0 };
	struct request request;
	int uffd;

	/* Closing the socket is not enough: this process may sleep in a copy when the load dies. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (cpu >= 0)
		cpu_pin(0, cpu);
	if (send(socket, &ready, sizeof(ready), MSG_NOSIGNAL) != (ssize_t)sizeof(ready))
		return 1;
	while (receive_request(socket, &request, &uffd) == (ssize_t)sizeof(request)) {
		struct reply reply = { 0 };

		request.layout[LAYOUT_MAX - 1] = '\0';
		answer(&workbench, &request, uffd, &reply);
		if (send(socket, &reply, sizeof(reply), MSG_NOSIGNAL) != (ssize_t)sizeof(reply))
			break;
	}
	return 0;
}
