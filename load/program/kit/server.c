// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A handler like Firecracker's example: reads events, copies, and defers a fault whose copy failed
// with EAGAIN.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "program/kit/guest.h"
#include "program/kit/server.h"

#define BITS 64
#define EVENTS 16

/* --- clients ---------------------------------------------------------------------------------- */

int client_init(struct client *client, struct run *run, int uffd, uint64_t start, size_t pages,
		size_t page_size)
{
	*client = (struct client) {
		.uffd = uffd, .start = start, .pages = pages, .page_size = page_size
	};
	client->removed = calloc(pages / BITS + 1, sizeof(*client->removed));
	client->copied = calloc(pages / BITS + 1, sizeof(*client->copied));
	if (client->removed && client->copied)
		return 0;
	client_destroy(client);
	run_fail(run, "no memory");
	return -ENOMEM;
}

void client_destroy(struct client *client)
{
	free(client->removed);
	free(client->copied);
	client->removed = client->copied = NULL;
}

static bool is_set(const atomic_uint_fast64_t *bits, uint64_t n)
{
	return atomic_load(&bits[n / BITS]) >> (n % BITS) & 1;
}

static void set_bit(atomic_uint_fast64_t *bits, uint64_t n)
{
	atomic_fetch_or(&bits[n / BITS], UINT64_C(1) << (n % BITS));
}

static void mark_removed(struct client *client, uint64_t start, uint64_t end)
{
	uint64_t n, first = (start - client->start) / client->page_size;

	for (n = first; n < client->pages && client->start + n * client->page_size < end; n++)
		set_bit(client->removed, n);
}

/* --- one page --------------------------------------------------------------------------------- */

static int copy_page(struct server *server, uint64_t n)
{
	const struct client *client = server->client;
	struct uffdio_copy copy = { .dst = client->start + n * client->page_size,
				    .len = client->page_size };
	const void *from = source_page(&server->source, n);
	int err;

	if (!from) {
		run_fail(server->run, "cannot read the file: %s", strerror(errno));
		return EIO;
	}
	copy.src = (uint64_t)from;
	err = ioctl(client->uffd, UFFDIO_COPY, &copy) ? errno : 0;
	tally_copy(server->tally, err, copy.copy);
	return err;
}

static int zero_page(struct server *server, uint64_t n)
{
	const struct client *client = server->client;
	struct uffdio_zeropage zero = {
		.range = { client->start + n * client->page_size, client->page_size },
	};
	int err = ioctl(client->uffd, UFFDIO_ZEROPAGE, &zero) ? errno : 0;

	server->tally->counts[COUNT_ZEROPAGES] += !err;
	return err;
}

static int fill_page(struct server *server, uint64_t n)
{
	return is_set(server->client->removed, n) ? zero_page(server, n) : copy_page(server, n);
}

/* A thread that waits for the page faults again if it must. */
static void wake(const struct client *client, uint64_t n)
{
	struct uffdio_range range = { client->start + n * client->page_size, client->page_size };

	ioctl(client->uffd, UFFDIO_WAKE, &range);
}

static void defer(struct server *server, uint64_t address, uint64_t failures)
{
	if (server->nr_deferred == DEFERRED_MAX) {
		run_fail(server->run, "more than %d faults wait to be served", DEFERRED_MAX);
		return;
	}
	server->deferred[server->nr_deferred++] = (struct deferred) { address, failures };
}

/*
 * EAGAIN: try again after all events are read, as Firecracker does. EEXIST: another thread was
 * faster. ENOENT: unmapped or unregistered meanwhile, and the waiting thread may find something
 * else there. ESRCH: the process has ended.
 */
static void serve_fault(struct server *server, uint64_t address, uint64_t failures)
{
	struct client *client = server->client;
	uint64_t n = (address - client->start) / client->page_size;
	int err = n < client->pages ? fill_page(server, n) : EFAULT;

	switch (err) {
	case 0:
		tally_chain(server->tally, failures);
		set_bit(client->copied, n);
		return;
	case EAGAIN:
		defer(server, address, failures + 1);
		return;
	case EEXIST:
	case ENOENT:
		wake(client, n);
		return;
	case ESRCH:
		return;
	default:
		run_fail(server->run, "the copy to page %llu failed: %s", (unsigned long long)n,
			 strerror(err));
	}
}

bool serve_unasked(struct server *server, uint64_t n)
{
	const struct client *client = server->client;
	int err = is_set(client->removed, n) || is_set(client->copied, n) ? 0
									  : copy_page(server, n);

	if (err && err != EAGAIN && err != EEXIST && err != ENOENT && err != ESRCH)
		run_fail(server->run, "the copy to page %llu failed: %s", (unsigned long long)n,
			 strerror(err));
	return err != EAGAIN;
}

/* --- events ----------------------------------------------------------------------------------- */

static void take_event(struct server *server, const struct uffd_msg *msg)
{
	switch (msg->event) {
	case UFFD_EVENT_PAGEFAULT:
		server->tally->counts[COUNT_FAULTS]++;
		serve_fault(server, msg->arg.pagefault.address, 0);
		return;
	case UFFD_EVENT_REMOVE:
		mark_removed(server->client, msg->arg.remove.start, msg->arg.remove.end);
		return;
	default:
		run_fail(server->run, "unexpected event %#x", msg->event);
	}
}

/* All of them: while an event is unread every copy fails. */
static void read_events(struct server *server)
{
	struct uffd_msg msgs[EVENTS];
	ssize_t len, i;

	while ((len = read(server->client->uffd, msgs, sizeof(msgs))) > 0)
		for (i = 0; i < len / (ssize_t)sizeof(*msgs); i++)
			take_event(server, &msgs[i]);
	if (len < 0 && errno != EAGAIN && errno != EINTR)
		run_fail(server->run, "cannot read from the userfaultfd: %s", strerror(errno));
}

/* Once each; a fault whose copy fails again is deferred again. */
static void retry_deferred(struct server *server)
{
	struct deferred *now = server->again;
	size_t nr = server->nr_deferred, i;

	memcpy(server->again, server->deferred, nr * sizeof(*now));
	server->nr_deferred = 0;
	for (i = 0; i < nr; i++)
		serve_fault(server, now[i].address, now[i].failures);
}

void *serve(void *data)
{
	struct server *server = data;
	struct pollfd fds[] = {
		{ .fd = server->run->over_fd, .events = POLLIN },
		{ .fd = server->client->uffd, .events = POLLIN },
	};

	for (;;) {
		poll(fds, 2, server->nr_deferred ? 0 : -1);
		if (fds[0].revents)
			return NULL;
		if (fds[1].revents)
			read_events(server);
		retry_deferred(server);
	}
}
