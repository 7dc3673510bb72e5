// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A handler like Firecracker's example: reads events, copies, and defers a fault whose copy failed
// with EAGAIN.
#ifndef UFFDLOAD_SERVER_H
#define UFFDLOAD_SERVER_H

#include <stdatomic.h>

#include "program/kit/run.h"
#include "program/kit/source.h"

/* The memory of one userfaultfd; several servers may share it. */
struct client {
	int uffd;
	uint64_t start;
	size_t pages;
	size_t page_size;
	/* One bit for each page. */
	atomic_uint_fast64_t *removed; /* given back: filled with zeroes from now on */
	atomic_uint_fast64_t *copied;  /* no need to prefetch it */
};

int client_init(struct client *client, struct run *run, int uffd, uint64_t start, size_t pages,
		size_t page_size);
void client_destroy(struct client *client);

#define DEFERRED_MAX 1024

struct deferred {
	uint64_t address;
	uint64_t failures;
};

struct server {
	struct run *run;
	struct tally *tally;
	struct source source;
	struct client *client;
	struct deferred deferred[DEFERRED_MAX];
	size_t nr_deferred;
	struct deferred again[DEFERRED_MAX]; /* those that are being retried */
};

/* A thread's function: serves faults until run_end_service(). */
void *serve(void *server);
/* Copy page n before any thread faults on it, unless it was copied. False on EAGAIN: call again. */
bool serve_unasked(struct server *server, uint64_t n);

#endif
