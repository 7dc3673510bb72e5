// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A VM's memory filled from a snapshot file, by a handler in a process of its own or by threads of the VMM.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program/beat.h"
#include "program/restore.h"
#include "lib/rig.h"
#include "program/server.h"

#define THREADS_MAX 64
#define REMAP_PAGES 64
#define REMAP_PIECE 16

/* One restore: new mappings, a new userfaultfd, a new handler. */
struct restore {
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

/* --- the handler -------------------------------------------------------------------------------------------- */

static int start_servers(struct restore *restore)
{
	struct run *run = restore->run;
	uint64_t n;
	int err = 0;

	for (n = 0; n < run->params.handlers && !err; n++) {
		struct server *server = &restore->servers[n];

		if (n)
			err = source_share(&server->source, run, &restore->servers[0].source);
		if (!err)
			err = crew_start(&restore->handlers, serve, server);
	}
	return err;
}

static void close_sources(struct restore *restore)
{
	uint64_t n;

	for (n = restore->run->params.handlers; n--;)
		source_close(&restore->servers[n].source);
}

/* The process of its own. */
static void __attribute__((noreturn)) be_handler(struct restore *restore, int ready)
{
	struct run *run = restore->run;
	struct server *first = &restore->servers[0];
	int err = source_open(&first->source, run, restore->snapshot, restore->guest.page_size, first->tally);

	if (!err)
		err = start_servers(restore);
	/* That it may begin, or what stands against it. */
	if (write(ready, &err, sizeof(err)) != sizeof(err))
		err = -EIO;
	crew_join(&restore->handlers);
	_exit(err || run_failed(run) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* The servers know where the guest is: it was mapped before, and is not registered in the child. */
static int fork_handler(struct restore *restore)
{
	int pipes[2], err;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	restore->handler = run_fork();
	if (restore->handler < 0)
		return restore->handler;
	if (!restore->handler)
		be_handler(restore, pipes[1]);
	close(pipes[1]);
	if (read(pipes[0], &err, sizeof(err)) != sizeof(err))
		err = -EPIPE;
	close(pipes[0]);
	return err;
}

static int open_inside(struct restore *restore)
{
	struct server *first = &restore->servers[0];
	int err = source_open(&first->source, restore->run, restore->snapshot, restore->guest.page_size, first->tally);

	if (!err)
		err = start_servers(restore);
	if (!err)
		err = source_share(&restore->prefetcher.source, restore->run, &first->source);
	return err;
}

/* --- beside the copies -------------------------------------------------------------------------------------- */

/* A piece of the file over memory next to the guest's, as ranges that are not copied are mapped. */
static int remap_once(struct beat *beat)
{
	const struct restore *restore = beat->data;
	size_t len = REMAP_PIECE * PAGE;
	uint64_t at = restore->remapped + prng_below(&beat->prng, REMAP_PAGES / REMAP_PIECE) * len;

	return mmap((void *)at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, restore->snapshot->fd, 0) ==
			       MAP_FAILED
		       ? -errno
		       : 0;
}

/* The next page, whether or not somebody asks for it. */
static int prefetch_once(struct beat *beat)
{
	struct restore *restore = beat->data;

	if (restore->next == restore->client.pages)
		return 1;
	if (serve_unasked(&restore->prefetcher, restore->next))
		restore->next++;
	return 0;
}

static struct beat beat_of(struct restore *restore, const char *name, uint64_t rate, int (*once)(struct beat *),
			   enum count count)
{
	return (struct beat) {
		.run = restore->run,
		.name = name,
		.rate = rate,
		.once = once,
		.count = count,
		.guest = &restore->guest,
		.data = restore,
		.tally = run_tally(restore->run),
		.prng.state = restore->run->params.seed + count,
	};
}

static int start_beside(struct restore *restore)
{
	int err = beat_start(&restore->beside, &restore->device);

	if (!err)
		err = beat_start(&restore->beside, &restore->balloon);
	if (!err)
		err = beat_start(&restore->beside, &restore->remap);
	if (!err)
		err = beat_start(&restore->beside, &restore->prefetch);
	return err ? err : writers_start(&restore->writers, &restore->guest);
}

/* --- one restore -------------------------------------------------------------------------------------------- */

static int start_vcpus(struct restore *restore)
{
	struct run *run = restore->run;
	uint64_t n;
	int err = 0;

	for (n = 0; n < run->params.threads && !err; n++)
		err = crew_start(&restore->vcpus, touch_share, &restore->touchers[n]);
	return err;
}

/* Tallies first, in the same order in each pass: whoever forks or starts later has his. */
static int prepare(struct restore *restore)
{
	const struct params *params = &restore->run->params;
	struct run *run = restore->run;
	uint64_t n;
	int err = 0;

	restore->servers = calloc(params->handlers, sizeof(*restore->servers));
	if (!restore->servers) {
		run_fail(run, "no memory");
		return -ENOMEM;
	}
	for (n = 0; n < params->handlers; n++) {
		restore->servers[n] =
			(struct server) { .run = run, .tally = run_tally(run), .client = &restore->client };
	}
	restore->prefetcher = (struct server) { .run = run, .tally = run_tally(run), .client = &restore->client };
	restore->guest.run = run;
	for (n = 0; n < params->threads && !err; n++)
		err = toucher_init(&restore->touchers[n], &restore->guest, (unsigned int)n,
				   (unsigned int)params->threads);
	restore->device = beat_of(restore, "device", params->device_rate, device_once, COUNT_DEVICE);
	restore->balloon = beat_of(restore, "balloon", params->balloon_rate, balloon_once, COUNT_BALLOON);
	restore->remap = beat_of(restore, "remap", params->remap_rate, remap_once, COUNT_REMAPS);
	restore->prefetch = beat_of(restore, "prefetch", params->prefetch, prefetch_once, COUNT_PREFETCHES);
	return err;
}

static int map_all(struct restore *restore, size_t page_size)
{
	uint64_t features = restore->run->params.balloon_rate ? UFFD_FEATURE_EVENT_REMOVE : 0;
	void *beside = mmap(NULL, REMAP_PAGES * PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int uffd = rig_uffd_open(features), err;

	if (uffd < 0 || beside == MAP_FAILED) {
		run_fail(restore->run, "no userfaultfd or memory: %s", strerror(uffd < 0 ? -uffd : ENOMEM));
		return -EPERM;
	}
	restore->remapped = (uint64_t)beside;
	err = guest_map(&restore->guest, restore->run, uffd, page_size);
	if (err)
		return err;
	return client_init(&restore->client, restore->run, uffd, restore->guest.start, restore->guest.pages, page_size);
}

/* Whoever faults is served until he is through; only then do the handlers end. */
static void end(struct restore *restore)
{
	size_t n;

	crew_join(&restore->vcpus);
	run_end_pass(restore->run);
	writers_join(&restore->writers);
	crew_join(&restore->beside);
	run_end_service(restore->run);
	crew_join(&restore->handlers);
	if (restore->handler > 0)
		run_reap(restore->run, restore->handler, "the handler");
	if (restore->handler == 0 && restore->servers) {
		source_close(&restore->prefetcher.source);
		close_sources(restore);
	}
	client_destroy(&restore->client);
	guest_unmap(&restore->guest);
	if (restore->remapped)
		munmap((void *)restore->remapped, REMAP_PAGES * PAGE);
	for (n = 0; n < THREADS_MAX; n++)
		toucher_destroy(&restore->touchers[n]);
	free(restore->servers);
}

static int restore_once(struct run *run, struct snapshot *snapshot, size_t page_size, bool external)
{
	static struct restore restore;
	int err;

	memset(&restore, 0, sizeof(restore));
	restore.run = run;
	restore.snapshot = snapshot;
	restore.guest.uffd = -1;
	err = prepare(&restore);
	if (!err)
		err = map_all(&restore, page_size);
	if (!err)
		err = external ? fork_handler(&restore) : open_inside(&restore);
	if (!err)
		err = start_beside(&restore);
	if (!err)
		err = start_vcpus(&restore);
	run_begin_pass(run);
	if (err && !run_failed(run))
		run_fail(run, "cannot start: %s", strerror(-err));
	end(&restore);
	return err;
}

/* The snapshot is made once. */
int restore_pass(struct run *run, size_t page_size, bool external)
{
	static struct snapshot snapshot = { .fd = -1 };
	int err = 0;

	if (snapshot.fd < 0)
		err = snapshot_make(&snapshot, run, run->params.pages * page_size);
	return err ? err : restore_once(run, &snapshot, page_size, external);
}

/* --- the loads ---------------------------------------------------------------------------------------------- */

const struct setting vm_settings[] = {
	SETTING_THREADS("Threads that touch the memory, as vCPUs do"),
	SETTING_HANDLERS("Threads that read faults and copy"),
	SETTING_RUN,
	SETTING_DIR,
	SETTING_DEVICE_RATE,
	{ 0 },
};

const struct setting file_settings[] = { SETTING_SOURCE, SETTING_CACHE, { 0 } };

#define SETTING_BALLOON                                                                                                \
	RATE_SETTING(struct params, balloon_rate, "balloon-rate", 1000000,                                             \
		     "Pieces of 16 pages a second that are given back (MADV_DONTNEED); the handler reads the events "  \
		     "and fills with zeroes from then on; 0 for none")

static const struct setting restore_settings[] = { SETTING_BALLOON, { 0 } };

static int pass_external(struct run *run)
{
	return restore_pass(run, PAGE, true);
}

const struct prod restore_prod = {
	.name = "restore",
	.doc = "A VM is restored from a snapshot file by a handler in a process of its own, as Firecracker's UFFD "
	       "backend has it: it copies each page that a vCPU faults on straight from its mapping of the file. A "
	       "device thread maps and unmaps buffers meanwhile.\v"
	       "On EAGAIN the handler reads all events and tries again, without pause. One JSON line at the end. Exit: "
	       "0 all pages were right, 1 not (named on stderr), 64 usage, 77 this machine lacks what is needed.",
	.settings = { vm_settings, file_settings, restore_settings },
	.defaults = { VM_DEFAULTS },
	.pass = pass_external,
};

static const struct setting inproc_settings[] = {
	SETTING_BALLOON,
	RATE_SETTING(struct params, prefetch, "prefetch", 1000000,
		     "Pages a second that a thread copies, in their order, before anybody asks; 0 for none"),
	RATE_SETTING(struct params, remap_rate, "remap-rate", 1000000,
		     "Pieces of the file a second that are mapped (MAP_FIXED) beside the memory; 0 for none"),
	{ 0 },
};

static int pass_inside(struct run *run)
{
	return restore_pass(run, PAGE, false);
}

const struct prod restore_inproc_prod = {
	.name = "restore-inproc",
	.doc = "A VM is restored from a snapshot file by threads of the VMM itself, as in Cloud Hypervisor: the file "
	       "is read into a buffer and copied from there, a thread prefetches, and parts of the file are mapped beside "
	       "the copies. All of them write to or fault in one mm.\v"
	       "On EAGAIN the handler reads all events and tries again, without pause; the prefetcher too. One JSON "
	       "line at the end. Exit: 0 all pages were right, 1 not (named on stderr), 64 usage, 77 this machine lacks "
	       "what is needed.",
	.settings = { vm_settings, file_settings, inproc_settings },
	.defaults = { VM_DEFAULTS, .source = SOURCE_BUFFER, .prefetch = 1000, .remap_rate = 10 },
	.pass = pass_inside,
};
