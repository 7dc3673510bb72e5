// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A VM's memory filled from a snapshot file, by a handler in a process of its own or by threads of
// the VMM.
#ifndef UFFDLOAD_VM_H
#define UFFDLOAD_VM_H

#include "program/kit/beat.h"
#include "program/kit/server.h"
#include "program/kit/writers.h"

#define THREADS_MAX 64
#define REMAP_PAGES 64

/* One restore: new mappings, a new userfaultfd, a new handler. */
struct vm {
	struct run *run;
	struct snapshot *snapshot;
	struct guest guest;
	struct client client;
	struct crew vcpus;
	struct crew beside;
	struct crew handlers;
	struct writers writers;
	struct toucher touchers[THREADS_MAX];
	struct server *servers; /* params.handlers of them */
	struct server prefetcher;
	struct beat device;
	struct beat balloon;
	struct beat remap;
	struct beat prefetch;
	uint64_t next;	   /* page that is prefetched next */
	uint64_t remapped; /* REMAP_PAGES beside the guest */
	pid_t handler;
};

/*
 * One restore, of pages of PAGE or HUGE bytes, from a snapshot that the first call makes. external: the
 * handler is another process. 0 or -errno, with a message.
 */
int vm_restore(struct run *run, size_t page_size, bool external);

/* The handler, in a process of its own or in this one, serves faults from now on. 0 or -errno. */
int vm_start_handler(struct vm *vm, bool external);
/* After run_end_service(). */
void vm_join_handler(struct vm *vm);

/* What happens beside the copies: a device, a balloon, remapping, prefetching. */
void vm_prepare_beside(struct vm *vm);
/* 0 or -errno. */
int vm_start_beside(struct vm *vm);

#endif
