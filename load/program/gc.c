// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A compacting collector like ART's: mutators compact a page that they fault on, from a buffer that
// is released.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "program/kit/program.h"
#include "program/kit/writers.h"
#include "lib/rig.h"

#define THREADS_MAX 64
/* A thread's compaction buffer; all of it is released when it is used up. */
#define BUFFER_PAGES 32
#define THREAD_STACK (64 * 1024)

/* A thread that compacts: a collector or a mutator. */
struct compactor {
	struct run *run;
	const struct guest *heap;
	struct tally *tally;
	uint64_t buffer;
	size_t used;
	uint64_t first; /* the collector's part */
	uint64_t end;
};

struct cycle {
	struct run *run;
	struct guest heap;
	struct crew mutators;
	struct crew collectors;
	struct crew beside;
	struct writers writers;
	struct toucher touchers[THREADS_MAX];
	struct compactor of_mutator[THREADS_MAX];
	struct compactor of_collector[THREADS_MAX];
	struct beat allocator;
};

/* The running thread's, for its SIGBUS handler. */
static __thread struct compactor *mine;

/* --- compaction ------------------------------------------------------------------------------- */

/* The page's new contents, in the buffer; an all-zero page stays as it was released. */
static const void *compact(struct compactor *compactor, uint64_t n)
{
	void *page;

	if (compactor->used == BUFFER_PAGES) {
		madvise((void *)compactor->buffer, BUFFER_PAGES * PAGE, MADV_DONTNEED);
		compactor->used = 0;
	}
	page = (void *)(compactor->buffer + compactor->used++ * PAGE);
	if (!content_is_zero(compactor->heap, n))
		content_fill(page, compactor->run->params.seed, n);
	return page;
}

/* ART treats EAGAIN as a contended lock: it yields, then sleeps a millisecond at a time. */
static void back_off(uint64_t failures)
{
	const struct timespec ts = { .tv_nsec = 1000 * 1000 };

	if (failures <= 5)
		sched_yield();
	else
		nanosleep(&ts, NULL);
}

/* EEXIST: another thread was faster. ENOENT: the memory is being replaced. */
static void place(struct compactor *compactor, uint64_t n)
{
	struct uffdio_copy copy = { .dst = compactor->heap->start + n * PAGE, .len = PAGE };
	uint64_t failures = 0;
	int err;

	copy.src = (uint64_t)compact(compactor, n);
	for (;;) {
		copy.copy = 0;
		err = ioctl(compactor->heap->uffd, UFFDIO_COPY, &copy) ? errno : 0;
		tally_copy(compactor->tally, err, copy.copy);
		if (err != EAGAIN)
			break;
		back_off(++failures);
	}
	if (!err)
		tally_chain(compactor->tally, failures);
	else if (err != EEXIST && err != ENOENT)
		run_fail(compactor->run, "the copy to page %llu failed: %s", (unsigned long long)n,
			 strerror(err));
}

/* A mutator touched a missing page. */
static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	struct compactor *compactor = mine;
	uint64_t at = (uint64_t)info->si_addr;
	const struct guest *heap = compactor ? compactor->heap : NULL;

	(void)context;
	if (!heap || at < heap->start || at >= heap->start + heap->pages * PAGE) {
		/* Not in the heap: the default action kills the process. */
		sigaction(signal, &(struct sigaction) { .sa_handler = SIG_DFL }, NULL);
		return;
	}
	compactor->tally->counts[COUNT_FAULTS]++;
	place(compactor, (at - heap->start) / PAGE);
}

/* The collector goes through its part of the heap in order. */
static void *collect(void *data)
{
	struct compactor *compactor = data;
	uint64_t n;

	run_wait_begin(compactor->run);
	for (n = compactor->first; n < compactor->end && !run_stopped(compactor->run); n++)
		place(compactor, n);
	return NULL;
}

static void be_mutator(struct toucher *toucher)
{
	mine = toucher->data;
}

/* --- beside the copies: what a runtime's allocator and threads do ----------------------------- */

static void *short_lived(void *nothing)
{
	return nothing;
}

/* On a stack of its own: glibc would keep and reuse one. */
static int run_thread(void)
{
	void *stack = mmap(NULL, THREAD_STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (stack == MAP_FAILED)
		return -errno;
	err = pthread_attr_init(&attr);
	if (!err)
		err = pthread_attr_setstack(&attr, stack, THREAD_STACK);
	if (!err)
		err = pthread_create(&thread, &attr, short_lived, NULL);
	if (!err)
		pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	return munmap(stack, THREAD_STACK) ? -errno : -err;
}

static int allocate_and_trim(struct beat *beat)
{
	size_t len = (1 + prng_below(&beat->prng, 16)) * PAGE;
	void *area = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	memset(area, 1, len);
	return madvise(area, len, MADV_DONTNEED) || munmap(area, len) ? -errno : 0;
}

static int allocate_once(struct beat *beat)
{
	return prng_below(&beat->prng, 8) ? allocate_and_trim(beat) : run_thread();
}

/* --- one collection --------------------------------------------------------------------------- */

static int compactor_init(struct compactor *compactor, struct cycle *cycle, struct tally *tally)
{
	void *buffer = mmap(NULL, BUFFER_PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buffer == MAP_FAILED)
		return -errno;
	*compactor = (struct compactor) { .run = cycle->run, .heap = &cycle->heap, .tally = tally };
	compactor->buffer = (uint64_t)buffer;
	return 0;
}

static int start_mutators(struct cycle *cycle)
{
	const struct params *params = &cycle->run->params;
	uint64_t n;
	int err = 0;

	for (n = 0; n < params->threads && !err; n++) {
		struct toucher *toucher = &cycle->touchers[n];

		err = toucher_init(toucher, &cycle->heap, (unsigned int)n,
				   (unsigned int)params->threads);
		if (!err)
			err = compactor_init(&cycle->of_mutator[n], cycle, toucher->tally);
		toucher->before = be_mutator;
		toucher->data = &cycle->of_mutator[n];
		if (!err)
			err = crew_start(&cycle->mutators, touch_share, toucher);
	}
	return err;
}

static int start_collectors(struct cycle *cycle)
{
	uint64_t threads = cycle->run->params.handlers, pages = cycle->heap.pages, n;
	int err = 0;

	for (n = 0; n < threads && !err; n++) {
		struct compactor *compactor = &cycle->of_collector[n];

		err = compactor_init(compactor, cycle, run_tally(cycle->run));
		compactor->first = pages * n / threads;
		compactor->end = pages * (n + 1) / threads;
		if (!err)
			err = crew_start(&cycle->collectors, collect, compactor);
	}
	return err;
}

static int start(struct cycle *cycle)
{
	struct run *run = cycle->run;
	int err = start_mutators(cycle);

	if (!err)
		err = start_collectors(cycle);
	cycle->allocator = (struct beat) {
		.run = run,
		.name = "allocator",
		.rate = run->params.alloc_rate,
		.once = allocate_once,
		.count = COUNT_ALLOCATIONS,
		.tally = run_tally(run),
		.prng.state = run->params.seed,
	};
	if (!err)
		err = beat_start(&cycle->beside, &cycle->allocator);
	return err ? err : writers_start(&cycle->writers, &cycle->heap);
}

static void release(struct compactor *compactors)
{
	size_t n;

	for (n = 0; n < THREADS_MAX; n++)
		if (compactors[n].buffer)
			munmap((void *)compactors[n].buffer, BUFFER_PAGES * PAGE);
}

static void end(struct cycle *cycle)
{
	size_t n;

	crew_join(&cycle->mutators);
	crew_join(&cycle->collectors);
	run_end_pass(cycle->run);
	writers_join(&cycle->writers);
	crew_join(&cycle->beside);
	for (n = 0; n < THREADS_MAX; n++)
		toucher_destroy(&cycle->touchers[n]);
	release(cycle->of_mutator);
	release(cycle->of_collector);
	guest_unmap(&cycle->heap);
}

static int gc_pass(struct run *run)
{
	static struct cycle cycle;
	struct sigaction action = { .sa_sigaction = on_sigbus,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };
	int uffd = rig_uffd_open(UFFD_FEATURE_SIGBUS), err;

	if (uffd < 0) {
		run_fail(run, "no userfaultfd: %s", strerror(-uffd));
		return uffd;
	}
	memset(&cycle, 0, sizeof(cycle));
	cycle.run = run;
	sigaction(SIGBUS, &action, NULL);
	err = guest_map(&cycle.heap, run, uffd, PAGE);
	if (!err)
		err = start(&cycle);
	if (err && !run_failed(run))
		run_fail(run, "cannot start: %s", strerror(-err));
	run_begin_pass(run);
	end(&cycle);
	return err;
}

static const struct setting settings[] = {
	SETTING_THREADS("Mutators, which touch the heap"),
	SETTING_HANDLERS("Threads of the collector, each with its part of the heap"),
	SETTING_RUN,
	RATE_SETTING(struct params, alloc_rate, "alloc-rate", 1000000,
		     "Times a second that something is mapped, used, given back and unmapped, or "
		     "(one in eight) that a thread begins and ends; 0 for none"),
	NUMBER_SETTING(struct params, released, "released", "PERCENT", 0, 100,
		       "Share of the pages that are copied from the released buffer as it is; the "
		       "others are written first, and have no window"),
	{ 0 },
};

static const struct params defaults = { DEFAULTS, .pages = 4096, .run = 8, .alloc_rate = 100,
					.released = 100 };

static int gc_main(const struct load *load, const void *params)
{
	return program_run(load, params, gc_pass);
}

const struct load gc_load = {
	.name = "gc",
	.doc = "A compacting collector as Android's runtime has it: mutators that touch a page "
	       "which is not there yet get SIGBUS and place it themselves, the collector's "
	       "threads place the rest, each from a buffer that is released (MADV_DONTNEED) "
	       "whenever it is used up.\v"
	       "On EAGAIN a thread yields, after five times it sleeps a millisecond at a time. "
	       "One JSON line at the end. Exit: 0 all pages were right, 1 not (named on "
	       "stderr), 64 usage.",
	.settings = { common_settings, settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = gc_main,
};
