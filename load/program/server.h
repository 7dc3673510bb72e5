// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A handler as Firecracker's example and CRIU's lazy-pages daemon have it: reads events, copies, defers on EAGAIN.
#ifndef UFFDLOAD_SERVER_H
#define UFFDLOAD_SERVER_H

#include <poll.h>

#include "program/run.h"
#include "program/source.h"

/* What one userfaultfd serves; several servers may share it. */
struct client {
	int uffd;
	uint64_t start;
	size_t pages;
	size_t page_size;
	/* A bit a page. */
	atomic_uint_fast64_t *removed; /* given back, so that it is zeroes from now on */
	atomic_uint_fast64_t *copied;  /* nothing to do for it in the background */
	uint64_t next;		       /* for copying in the background */
	atomic_bool gone;	       /* its process ended */
};

int client_init(struct client *client, struct run *run, int uffd, uint64_t start, size_t pages, size_t page_size);
void client_destroy(struct client *client);

#define CLIENTS_MAX 1024
#define DEFERRED_MAX 1024

struct deferred {
	struct client *client;
	uint64_t address;
	uint64_t failures;
};

struct server {
	struct run *run;
	struct tally *tally;
	struct source source;
	struct client *clients[CLIENTS_MAX];
	size_t nr_clients;
	bool forks; /* a client's fork makes another client, which the server owns */
	/* With nothing else to do for so long, it copies what nobody asked for yet; -1 never. */
	int idle_ms;
	struct deferred deferred[DEFERRED_MAX];
	size_t nr_deferred;
	struct deferred again[DEFERRED_MAX]; /* those that are being retried */
	struct pollfd fds[CLIENTS_MAX + 1];
};

/* Until run_end_service(). A thread's function. */
void *serve(void *server);
/* The background's copy of page n, if it was not copied yet: true when there is nothing left to do for it. */
bool serve_unasked(struct server *server, struct client *client, uint64_t n);

#endif
