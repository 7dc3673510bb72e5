// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Post-copy migration as QEMU's: pages come in a stream, are read into one buffer, and are copied from there.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "program/beat.h"
#include "steps/pace.h"
#include "lib/rig.h"

#define THREADS_MAX 64
#define EVENTS 16

/* From the destination to the source; RESEND asks for a page that was sent before. */
#define RESEND (UINT64_C(1) << 63)

struct message {
	uint64_t page;
	uint8_t bytes[PAGE];
};

struct migration {
	struct run *run;
	struct guest guest;
	int stream;
	pid_t source;
	struct message *bounce;
	atomic_bool *received;
	struct crew vcpus;
	struct crew service;
	struct crew beside;
	struct writers writers;
	struct toucher touchers[THREADS_MAX];
	bool replaces; /* pages that came may be lost again */
	struct tally *fault_tally;
	struct tally *listen_tally;
	struct beat device;
};

/* 1, 0 at the end of the stream, or -errno. */
static int read_all(int fd, void *to, size_t len)
{
	uint8_t *bytes = to;

	while (len) {
		ssize_t n = read(fd, bytes, len);

		if (n <= 0)
			return n ? -errno : 0;
		bytes += n;
		len -= (size_t)n;
	}
	return 1;
}

static int write_all(int fd, const void *from, size_t len)
{
	const uint8_t *bytes = from;

	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 1;
}

/* --- the source machine: a process of its own --------------------------------------------------------------- */

struct source_side {
	struct run *run;
	int stream;
	bool *sent;
	uint64_t next;
	struct message message;
};

static int send_page(struct source_side *side, uint64_t n)
{
	side->sent[n] = true;
	side->message.page = n;
	content_fill(side->message.bytes, side->run->params.seed, n);
	return write_all(side->stream, &side->message, sizeof(side->message));
}

/* Pages that were sent already are not sent again, unless the destination says that it lost them. */
static int answer(struct source_side *side)
{
	uint64_t request, n;
	int ret = read_all(side->stream, &request, sizeof(request));

	if (ret <= 0)
		return ret;
	n = request & ~RESEND;
	if (n >= side->run->params.pages)
		return -EPROTO;
	return side->sent[n] && !(request & RESEND) ? 1 : send_page(side, n);
}

static int push(struct source_side *side)
{
	while (side->next < side->run->params.pages && side->sent[side->next])
		side->next++;
	return side->next < side->run->params.pages ? send_page(side, side->next) : 1;
}

/* How long until the next page is due, in ms; -1: nothing is to be pushed. */
static int until_due(const struct source_side *side, int64_t next)
{
	int64_t left = next - now_ns();

	if (!side->run->params.push_rate || side->next >= side->run->params.pages)
		return -1;
	return left > 0 ? (int)(left / 1000000) + 1 : 0;
}

/* Requests first; between them, pages in their order. Ends when the stream does. */
static int send_pages(struct source_side *side)
{
	uint64_t rate = side->run->params.push_rate;
	struct pollfd fd = { .fd = side->stream, .events = POLLIN };
	int64_t next;
	int ret = 1;

	run_wait_begin(side->run);
	next = now_ns();
	while (ret > 0) {
		int ready = poll(&fd, 1, until_due(side, next));

		if (ready > 0) {
			ret = answer(side);
			continue;
		}
		ret = push(side);
		if (rate && rate != RATE_MAX)
			next = pace_next(next, rate);
	}
	return ret == -EPIPE || ret == -ECONNRESET ? 0 : ret;
}

static void __attribute__((noreturn)) be_source(struct run *run, int stream)
{
	struct source_side side = { .run = run, .stream = stream };
	int err;

	side.sent = calloc(run->params.pages, sizeof(*side.sent));
	err = side.sent ? send_pages(&side) : -ENOMEM;
	_exit(err ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* --- the destination ---------------------------------------------------------------------------------------- */

static void wake(const struct guest *guest, uint64_t at)
{
	struct uffdio_range range = { at, PAGE };

	ioctl(guest->uffd, UFFDIO_WAKE, &range);
}

/* QEMU has no answer to EAGAIN: the migration is lost. It is counted, and tried again so that the run can go on. */
static void place(struct migration *migration, uint64_t n)
{
	struct uffdio_copy copy = {
		.dst = migration->guest.start + n * PAGE,
		.src = (uint64_t)migration->bounce->bytes,
		.len = PAGE,
	};
	uint64_t failures = 0;
	int err;

	/* Before: were it set after, a page lost in between would be asked for as one that was never sent. */
	atomic_store(&migration->received[n], true);
	for (;;) {
		copy.copy = 0;
		err = ioctl(migration->guest.uffd, UFFDIO_COPY, &copy) ? errno : 0;
		tally_copy(migration->listen_tally, err, copy.copy);
		if (err != EAGAIN)
			break;
		failures++;
		migration->listen_tally->counts[COUNT_FATAL]++;
	}
	if (!err)
		tally_chain(migration->listen_tally, failures);
	else if (err == EEXIST || err == ENOENT)
		wake(&migration->guest, copy.dst);
	else
		run_fail(migration->run, "the copy to page %llu failed: %s", (unsigned long long)n, strerror(err));
}

static void *listen_thread(void *data)
{
	struct migration *migration = data;
	int ret;

	while ((ret = read_all(migration->stream, migration->bounce, sizeof(*migration->bounce))) > 0) {
		if (migration->bounce->page >= migration->guest.pages) {
			run_fail(migration->run, "the stream is broken");
			return NULL;
		}
		place(migration, migration->bounce->page);
	}
	if (ret < 0)
		run_fail(migration->run, "the stream: %s", strerror(-ret));
	return NULL;
}

/* A page that comes while its fault is reported needs no request; unless the memory was replaced since, and it is lost.
 */
static void request(struct migration *migration, uint64_t address)
{
	uint64_t n = (address - migration->guest.start) / PAGE;
	bool received = n < migration->guest.pages && atomic_load(&migration->received[n]);

	if (received && !migration->replaces)
		return;
	if (received)
		n |= RESEND;
	if (write_all(migration->stream, &n, sizeof(n)) < 0)
		run_fail(migration->run, "the stream: %s", strerror(errno));
}

static void read_faults(struct migration *migration)
{
	struct uffd_msg msgs[EVENTS];
	ssize_t len, i;

	while ((len = read(migration->guest.uffd, msgs, sizeof(msgs))) > 0)
		for (i = 0; i < len / (ssize_t)sizeof(*msgs); i++) {
			if (msgs[i].event != UFFD_EVENT_PAGEFAULT)
				continue;
			migration->fault_tally->counts[COUNT_FAULTS]++;
			request(migration, msgs[i].arg.pagefault.address);
		}
}

static void *fault_thread(void *data)
{
	struct migration *migration = data;
	struct pollfd fds[] = {
		{ .fd = migration->run->over_fd, .events = POLLIN },
		{ .fd = migration->guest.uffd, .events = POLLIN },
	};

	for (;;) {
		poll(fds, 2, -1);
		if (fds[0].revents)
			return NULL;
		read_faults(migration);
	}
}

/* --- one migration ------------------------------------------------------------------------------------------ */

/* The source first, for it must not have the destination's memory; it waits for the begin. */
static int fork_source(struct migration *migration)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	migration->source = run_fork();
	if (migration->source < 0)
		return migration->source;
	if (!migration->source) {
		close(sockets[1]);
		be_source(migration->run, sockets[0]);
	}
	close(sockets[0]);
	migration->stream = sockets[1];
	return 0;
}

static int prepare(struct migration *migration)
{
	struct run *run = migration->run;
	int uffd = rig_uffd_open(0);

	migration->received = calloc(run->params.pages, sizeof(*migration->received));
	migration->bounce =
		mmap(NULL, sizeof(*migration->bounce), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	migration->replaces = run->params.writer_rate && run->params.writer_what == WRITER_REPLACE;
	migration->fault_tally = run_tally(run);
	migration->listen_tally = run_tally(run);
	if (uffd < 0 || !migration->received || migration->bounce == MAP_FAILED) {
		run_fail(run, "no userfaultfd or memory: %s", strerror(uffd < 0 ? -uffd : ENOMEM));
		return -EPERM;
	}
	return guest_map(&migration->guest, run, uffd, PAGE);
}

static int start(struct migration *migration)
{
	struct run *run = migration->run;
	unsigned int n, of = (unsigned int)run->params.threads;
	int err = crew_start(&migration->service, listen_thread, migration);

	if (!err)
		err = crew_start(&migration->service, fault_thread, migration);
	for (n = 0; n < of && !err; n++) {
		err = toucher_init(&migration->touchers[n], &migration->guest, n, of);
		if (!err)
			err = crew_start(&migration->vcpus, touch_share, &migration->touchers[n]);
	}
	migration->device = (struct beat) {
		.run = run,
		.name = "device",
		.rate = run->params.device_rate,
		.once = device_once,
		.count = COUNT_DEVICE,
		.tally = run_tally(run),
	};
	if (!err)
		err = beat_start(&migration->beside, &migration->device);
	return err ? err : writers_start(&migration->writers, &migration->guest);
}

static void end(struct migration *migration)
{
	size_t n;

	crew_join(&migration->vcpus);
	run_end_pass(migration->run);
	writers_join(&migration->writers);
	crew_join(&migration->beside);
	run_end_service(migration->run);
	if (migration->stream >= 0)
		shutdown(migration->stream, SHUT_RDWR);
	crew_join(&migration->service);
	if (migration->source > 0)
		run_reap(migration->run, migration->source, "the source");
	if (migration->stream >= 0)
		close(migration->stream);
	if (migration->listen_tally && migration->listen_tally->counts[COUNT_FATAL])
		run_fail(migration->run, "EAGAIN: QEMU would have given up the migration");
	for (n = 0; n < THREADS_MAX; n++)
		toucher_destroy(&migration->touchers[n]);
	free(migration->received);
	if (migration->bounce && migration->bounce != MAP_FAILED)
		munmap(migration->bounce, sizeof(*migration->bounce));
	guest_unmap(&migration->guest);
}

static int postcopy_pass(struct run *run)
{
	static struct migration migration;
	int err;

	memset(&migration, 0, sizeof(migration));
	migration.run = run;
	migration.stream = migration.guest.uffd = -1;
	err = fork_source(&migration);
	if (!err)
		err = prepare(&migration);
	if (!err)
		err = start(&migration);
	if (err && !run_failed(run))
		run_fail(run, "cannot start: %s", strerror(-err));
	run_begin_pass(run);
	end(&migration);
	return err;
}

static const struct setting settings[] = {
	SETTING_THREADS("Threads that touch the memory, as vCPUs do"),
	SETTING_RUN,
	SETTING_DEVICE_RATE,
	RATE_SETTING(struct params, push_rate, "push-rate", 1000000,
		     "Pages a second that the source sends before anybody asks; 0 for none"),
	{ 0 },
};

const struct prod postcopy_prod = {
	.name = "postcopy",
	.doc = "The destination of a post-copy migration as QEMU has it: one thread reads faults and asks the source "
	       "for pages, another reads the stream into one buffer and copies from there. The buffer was just "
	       "written, so hardly ever is there a window: the control of the other loads.\v"
	       "QEMU has no answer to EAGAIN but the end of the migration: counts.fatal, and exit status 1. One JSON "
	       "line at the end. Exit: 0 all pages were right, 1 not (named on stderr), 64 usage.",
	.settings = { settings },
	.defaults = { VM_DEFAULTS, .push_rate = 1000 },
	.pass = postcopy_pass,
};
