// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A VM's memory filled from a snapshot file, by a handler in a process of its own or by threads of
// the VMM.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/rig.h"
#include "program/kit/vm.h"

static int start_vcpus(struct vm *vm)
{
	struct run *run = vm->run;
	uint64_t n;
	int err = 0;

	for (n = 0; n < run->params.threads && !err; n++)
		err = crew_start(&vm->vcpus, touch_share, &vm->touchers[n]);
	return err;
}

/* All tallies are given out here, in the same order in each pass, before anything forks. */
static int prepare(struct vm *vm)
{
	const struct params *params = &vm->run->params;
	struct run *run = vm->run;
	uint64_t n;
	int err = 0;

	vm->servers = calloc(params->handlers, sizeof(*vm->servers));
	if (!vm->servers) {
		run_fail(run, "no memory");
		return -ENOMEM;
	}
	for (n = 0; n < params->handlers; n++) {
		vm->servers[n] = (struct server) { .run = run,
						   .tally = run_tally(run),
						   .client = &vm->client };
	}
	vm->prefetcher =
		(struct server) { .run = run, .tally = run_tally(run), .client = &vm->client };
	vm->guest.run = run;
	for (n = 0; n < params->threads && !err; n++)
		err = toucher_init(&vm->touchers[n], &vm->guest, (unsigned int)n,
				   (unsigned int)params->threads);
	vm_prepare_beside(vm);
	return err;
}

static int map_all(struct vm *vm, size_t page_size)
{
	uint64_t features = vm->run->params.balloon_rate ? UFFD_FEATURE_EVENT_REMOVE : 0;
	void *beside = mmap(NULL, REMAP_PAGES * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int uffd = rig_uffd_open(features), err;

	if (uffd < 0 || beside == MAP_FAILED) {
		run_fail(vm->run, "no userfaultfd or memory: %s",
			 strerror(uffd < 0 ? -uffd : ENOMEM));
		return -EPERM;
	}
	vm->remapped = (uint64_t)beside;
	err = guest_map(&vm->guest, vm->run, uffd, page_size);
	if (err)
		return err;
	return client_init(&vm->client, vm->run, uffd, vm->guest.start, vm->guest.pages, page_size);
}

/* The handlers end last: threads that touch pages are served until they are through. */
static void end(struct vm *vm)
{
	size_t n;

	crew_join(&vm->vcpus);
	run_end_pass(vm->run);
	writers_join(&vm->writers);
	crew_join(&vm->beside);
	run_end_service(vm->run);
	vm_join_handler(vm);
	client_destroy(&vm->client);
	guest_unmap(&vm->guest);
	if (vm->remapped)
		munmap((void *)vm->remapped, REMAP_PAGES * PAGE);
	for (n = 0; n < THREADS_MAX; n++)
		toucher_destroy(&vm->touchers[n]);
	free(vm->servers);
}

static int restore_once(struct run *run, struct snapshot *snapshot, size_t page_size, bool external)
{
	static struct vm vm;
	int err;

	memset(&vm, 0, sizeof(vm));
	vm.run = run;
	vm.snapshot = snapshot;
	vm.guest.uffd = -1;
	err = prepare(&vm);
	if (!err)
		err = map_all(&vm, page_size);
	if (!err)
		err = vm_start_handler(&vm, external);
	if (!err)
		err = vm_start_beside(&vm);
	if (!err)
		err = start_vcpus(&vm);
	run_begin_pass(run);
	if (err && !run_failed(run))
		run_fail(run, "cannot start: %s", strerror(-err));
	end(&vm);
	return err;
}

int vm_restore(struct run *run, size_t page_size, bool external)
{
	static struct snapshot snapshot = { .fd = -1 };
	int err = 0;

	if (snapshot.fd < 0)
		err = snapshot_make(&snapshot, run, run->params.pages * page_size);
	return err ? err : restore_once(run, &snapshot, page_size, external);
}
