// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The handler of a restore: servers in a process of its own, or as threads of this one.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "program/kit/vm.h"

static int start_servers(struct vm *vm)
{
	struct run *run = vm->run;
	uint64_t n;
	int err = 0;

	for (n = 0; n < run->params.handlers && !err; n++) {
		struct server *server = &vm->servers[n];

		if (n)
			err = source_share(&server->source, run, &vm->servers[0].source);
		if (!err)
			err = crew_start(&vm->handlers, serve, server);
	}
	return err;
}

static void close_sources(struct vm *vm)
{
	uint64_t n;

	for (n = vm->run->params.handlers; n--;)
		source_close(&vm->servers[n].source);
}

/* Runs in the handler's own process. */
static void __attribute__((noreturn)) be_handler(struct vm *vm, int ready)
{
	struct run *run = vm->run;
	struct server *first = &vm->servers[0];
	int err = source_open(&first->source, run, vm->snapshot, vm->guest.page_size, first->tally);

	if (!err)
		err = start_servers(vm);
	/* That the restore may begin, or why not. */
	if (write(ready, &err, sizeof(err)) != sizeof(err))
		err = -EIO;
	crew_join(&vm->handlers);
	_exit(err || run_failed(run) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* The guest was mapped before the fork; in the child it is not registered. */
static int fork_handler(struct vm *vm)
{
	int pipes[2], err;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	vm->handler = run_fork();
	if (vm->handler < 0)
		return vm->handler;
	if (!vm->handler)
		be_handler(vm, pipes[1]);
	close(pipes[1]);
	if (read(pipes[0], &err, sizeof(err)) != sizeof(err))
		err = -EPIPE;
	close(pipes[0]);
	return err;
}

static int open_inside(struct vm *vm)
{
	struct server *first = &vm->servers[0];
	int err = source_open(&first->source, vm->run, vm->snapshot, vm->guest.page_size,
			      first->tally);

	if (!err)
		err = start_servers(vm);
	if (!err)
		err = source_share(&vm->prefetcher.source, vm->run, &first->source);
	return err;
}

int vm_start_handler(struct vm *vm, bool external)
{
	return external ? fork_handler(vm) : open_inside(vm);
}

void vm_join_handler(struct vm *vm)
{
	crew_join(&vm->handlers);
	if (vm->handler > 0)
		run_reap(vm->run, vm->handler, "the handler");
	if (vm->handler == 0 && vm->servers) {
		source_close(&vm->prefetcher.source);
		close_sources(vm);
	}
}
