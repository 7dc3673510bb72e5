// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Lazy restore as CRIU's: one daemon fills the memory of several processes, which fork meanwhile.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program/beat.h"
#include "lib/rig.h"
#include "program/server.h"

#define THREADS_MAX 64
#define PROCESSES_MAX 64
/* What a forked child looks at. */
#define CHILD_PAGES 16
/* CRIU fetches what nobody asked for when there were no faults for a while. */
#define IDLE_MS 5

#define CRIU_FEATURES                                                                                                  \
	(UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP)

/* A restored process, as the daemon sees it. */
struct task {
	pid_t pid;
	int socket;
	struct client client;
	bool has_client;
};

struct restoration {
	struct run *run;
	struct snapshot *snapshot;
	struct task tasks[PROCESSES_MAX];
	struct server server;
	struct crew daemon;
};

/* --- the restored process ----------------------------------------------------------------------------------- */

struct restored {
	struct run *run;
	struct guest guest;
	struct crew threads;
	struct crew beside;
	struct writers writers;
	struct toucher touchers[THREADS_MAX];
	struct beat forker;
};

static int send_uffd(int socket, int uffd, uint64_t start)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = &start, .iov_len = sizeof(start) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	msg.msg_control = control.bytes;
	msg.msg_controllen = sizeof(control.bytes);
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &uffd, sizeof(uffd));
	return sendmsg(socket, &msg, MSG_NOSIGNAL) == sizeof(start) ? 0 : -errno;
}

static int receive_uffd(int socket, uint64_t *start)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = start, .iov_len = sizeof(*start) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	int uffd;

	msg.msg_control = control.bytes;
	msg.msg_controllen = sizeof(control.bytes);
	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) != sizeof(*start))
		return -EPROTO;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&uffd, CMSG_DATA(cmsg), sizeof(uffd));
	return uffd;
}

/* The child has the parent's memory as far as it is there; the rest is filled for it too. */
static void __attribute__((noreturn)) be_child(struct beat *beat)
{
	struct toucher toucher = { .guest = beat->guest, .tally = beat->tally };
	int n, err = guest_settle(beat->guest);

	if (err)
		run_fail(beat->run, "a forked child: %s", strerror(-err));
	for (n = 0; n < CHILD_PAGES && !err; n++)
		touch_page(&toucher, prng_below(&beat->prng, (uint32_t)beat->guest->pages));
	_exit(run_failed(beat->run) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Returns from fork() when the daemon has read the event. */
static int fork_once(struct beat *beat)
{
	pid_t pid = run_fork();

	if (pid < 0)
		return pid;
	if (!pid)
		be_child(beat);
	run_reap(beat->run, pid, "a forked child");
	return 0;
}

static int start_threads(struct restored *restored, bool writes)
{
	struct run *run = restored->run;
	unsigned int n, of = (unsigned int)run->params.threads;
	int err = 0;

	for (n = 0; n < of && !err; n++) {
		err = toucher_init(&restored->touchers[n], &restored->guest, n, of);
		if (!err)
			err = crew_start(&restored->threads, touch_share, &restored->touchers[n]);
	}
	restored->forker = (struct beat) {
		.run = run,
		.name = "fork",
		.rate = run->params.fork_rate,
		.once = fork_once,
		.count = COUNT_FORKS,
		.guest = &restored->guest,
		.tally = run_tally(run),
		.prng.state = run->params.seed + (uint64_t)getpid(),
	};
	if (!err)
		err = beat_start(&restored->beside, &restored->forker);
	return err || !writes ? err : writers_start(&restored->writers, &restored->guest);
}

static void __attribute__((noreturn)) be_restored(struct run *run, int socket, bool writes)
{
	static struct restored restored;
	int uffd = rig_uffd_open(CRIU_FEATURES), err;

	restored.run = run;
	if (uffd < 0) {
		run_fail(run, "no userfaultfd that tells of forks (CAP_SYS_PTRACE): %s", strerror(-uffd));
		_exit(EXIT_FAILURE);
	}
	err = guest_map(&restored.guest, run, uffd, PAGE);
	if (!err)
		err = start_threads(&restored, writes);
	if (!err)
		err = send_uffd(socket, uffd, restored.guest.start);
	crew_join(&restored.threads);
	/* All is there. The daemon still reads events until all processes have ended. */
	if (!err && write(socket, "", 1) != 1)
		err = -errno;
	crew_join(&restored.beside);
	writers_join(&restored.writers);
	if (err && !run_failed(run))
		run_fail(run, "a restored process: %s", strerror(-err));
	_exit(err || run_failed(run) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* --- the daemon --------------------------------------------------------------------------------------------- */

/* Each process has its own part of the tallies. */
static int fork_task(struct restoration *restoration, struct task *task, bool writes)
{
	struct run *run = restoration->run;
	uint64_t start, each = run->params.threads + 1 + run->params.writers, n;
	int sockets[2], uffd;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	task->pid = run_fork();
	if (task->pid < 0)
		return task->pid;
	if (!task->pid) {
		close(sockets[0]);
		be_restored(run, sockets[1], writes);
	}
	close(sockets[1]);
	task->socket = sockets[0];
	for (n = 0; n < each; n++)
		run_tally(run);
	uffd = receive_uffd(task->socket, &start);
	if (uffd < 0)
		return uffd;
	task->has_client = !client_init(&task->client, run, uffd, start, run->params.pages, PAGE);
	return task->has_client ? 0 : -ENOMEM;
}

static int fork_tasks(struct restoration *restoration)
{
	uint64_t n;
	int err = 0;

	for (n = 0; n < restoration->run->params.processes && !err; n++) {
		struct task *task = &restoration->tasks[n];

		/* The writers are the first one's. */
		err = fork_task(restoration, task, !n);
		if (!err)
			restoration->server.clients[restoration->server.nr_clients++] = &task->client;
	}
	return err;
}

static void wait_for_tasks(struct restoration *restoration)
{
	uint64_t n;
	char byte;

	for (n = 0; n < restoration->run->params.processes; n++)
		if (read(restoration->tasks[n].socket, &byte, 1) != 1 && !run_failed(restoration->run))
			run_fail(restoration->run, "a restored process went away");
}

static void end(struct restoration *restoration)
{
	uint64_t n;

	run_end_pass(restoration->run);
	for (n = 0; n < restoration->run->params.processes; n++)
		if (restoration->tasks[n].pid > 0)
			run_reap(restoration->run, restoration->tasks[n].pid, "a restored process");
	run_end_service(restoration->run);
	crew_join(&restoration->daemon);
	for (n = 0; n < restoration->run->params.processes; n++) {
		struct task *task = &restoration->tasks[n];

		if (task->has_client) {
			close(task->client.uffd);
			client_destroy(&task->client);
		}
		if (task->pid > 0)
			close(task->socket);
	}
	source_close(&restoration->server.source);
}

static int restore_all(struct restoration *restoration)
{
	struct run *run = restoration->run;
	struct server *server = &restoration->server;
	int err;

	*server = (struct server) { .run = run, .tally = run_tally(run), .forks = true, .idle_ms = IDLE_MS };
	err = fork_tasks(restoration);
	if (!err)
		err = source_open(&server->source, run, restoration->snapshot, PAGE, server->tally);
	if (!err)
		err = crew_start(&restoration->daemon, serve, server);
	if (err && !run_failed(run))
		run_fail(run, "cannot start: %s", strerror(-err));
	run_begin_pass(run);
	if (!err)
		wait_for_tasks(restoration);
	end(restoration);
	return err;
}

static int lazy_pass(struct run *run)
{
	static struct snapshot snapshot = { .fd = -1 };
	static struct restoration restoration;
	int err = 0;

	if (snapshot.fd < 0)
		err = snapshot_make(&snapshot, run, run->params.pages * PAGE);
	if (err)
		return err;
	memset(&restoration, 0, sizeof(restoration));
	restoration.run = run;
	restoration.snapshot = &snapshot;
	return restore_all(&restoration);
}

static const struct setting settings[] = {
	NUMBER_SETTING(struct params, processes, "processes", "N", 1, 16,
		       "Restored processes; each has --pages pages, and the writers are the first one's"),
	SETTING_THREADS("Threads of each process, which touch its memory"),
	SETTING_RUN,
	SETTING_SOURCE,
	SETTING_DIR,
	RATE_SETTING(struct params, fork_rate, "fork-rate", 1000,
		     "Times a second that each process forks; the child looks at 16 pages and ends; 0 for none"),
	{ 0 },
};

const struct prod lazy_prod = {
	.name = "lazy",
	.doc = "A lazy restore as CRIU has it: processes with nothing in memory, and one daemon that fills them when "
	       "they fault, and in the background when they do not. It reads pages into a buffer and copies from "
	       "there. Forked children are filled too.\v"
	       "EAGAIN (a fork whose event is not read yet), ENOENT and EEXIST are no failures: the fault is served "
	       "later, or again. One JSON line at the end. Exit: 0 all pages were right, 1 not (named on stderr), 64 "
	       "usage.",
	.settings = { settings },
	.defaults = { DEFAULTS, .pages = 1024, .run = 8, .processes = 3, .fork_rate = 10, .source = SOURCE_BUFFER },
	.pass = lazy_pass,
};
