// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Copies against writers, both as fast as they can: does a page ever fail to complete?
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "program/kit/program.h"
#include "program/kit/writers.h"
#include "steps/pace.h"
#include "lib/rig.h"

#define THREADS_MAX 64

struct copier {
	struct run *run;
	const struct guest *guest;
	struct tally *tally;
	uint64_t source; /* one page, empty before each copy: each copy has its window */
	uint64_t first;
	uint64_t end;
};

static int copy_page(struct copier *copier, uint64_t n)
{
	struct uffdio_copy copy = { .dst = copier->guest->start + n * PAGE,
				    .src = copier->source,
				    .len = PAGE };
	int err;

	madvise((void *)copier->source, PAGE, MADV_DONTNEED);
	err = ioctl(copier->guest->uffd, UFFDIO_COPY, &copy) ? errno : 0;
	tally_copy(copier->tally, err, copy.copy);
	return err;
}

/* Until the page is there; latency counts from the first attempt. */
static void fill_page(struct copier *copier, uint64_t n)
{
	int64_t since = now_ns();
	uint64_t failures = 0;
	int err;

	do {
		err = copy_page(copier, n);
		failures += err == EAGAIN;
		if (err == ENOENT)
			sched_yield(); /* mapped anew, not registered yet */
	} while ((err == EAGAIN || err == ENOENT) && !run_stopped(copier->run));
	if (!err) {
		tally_latency(copier->tally, now_ns() - since);
		tally_chain(copier->tally, failures);
	} else if (err != EAGAIN && err != ENOENT && err != EEXIST) {
		run_fail(copier->run, "the copy to page %llu failed: %s", (unsigned long long)n,
			 strerror(err));
	} else if (failures > copier->tally->longest) {
		copier->tally->longest = failures; /* the run ended before the chain did */
	}
}

static void *copy_share(void *data)
{
	struct copier *copier = data;
	uint64_t n;

	run_wait_begin(copier->run);
	for (n = copier->first; n < copier->end && !run_stopped(copier->run); n++)
		fill_page(copier, n);
	return NULL;
}

/* The source is one empty page between two inaccessible ones. */
static int map_source(struct copier *copier)
{
	void *area = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	copier->source = (uint64_t)area + PAGE;
	return mprotect((void *)copier->source, PAGE, PROT_READ | PROT_WRITE) ? -errno : 0;
}

static int start(struct copier *copiers, struct crew *crew, struct writers *writers,
		 struct guest *guest)
{
	struct run *run = guest->run;
	uint64_t threads = run->params.threads, n;
	int err = 0;

	for (n = 0; n < threads && !err; n++) {
		copiers[n] = (struct copier) {
			.run = run,
			.guest = guest,
			.tally = run_tally(run),
			.first = guest->pages * n / threads,
			.end = guest->pages * (n + 1) / threads,
		};
		err = map_source(&copiers[n]);
		if (!err)
			err = crew_start(crew, copy_share, &copiers[n]);
	}
	return err ? err : writers_start(writers, guest);
}

static int torture_pass(struct run *run)
{
	static struct copier copiers[THREADS_MAX];
	static struct writers writers;
	struct crew crew = { .nr = 0 };
	struct guest guest = { .uffd = -1 };
	int uffd = rig_uffd_open(0), err;
	size_t n;

	if (uffd < 0) {
		run_fail(run, "no userfaultfd: %s", strerror(-uffd));
		return uffd;
	}
	err = guest_map(&guest, run, uffd, PAGE);
	if (!err)
		err = start(copiers, &crew, &writers, &guest);
	if (err && !run_failed(run))
		run_fail(run, "cannot start: %s", strerror(-err));
	run_begin_pass(run);
	crew_join(&crew);
	run_end_pass(run);
	writers_join(&writers);
	for (n = 0; n < THREADS_MAX; n++)
		if (copiers[n].source)
			munmap((void *)(copiers[n].source - PAGE), 3 * PAGE);
	memset(copiers, 0, sizeof(copiers));
	guest_unmap(&guest);
	return err;
}

static const struct setting settings[] = {
	SETTING_THREADS("Threads that copy, each to its own part of the destination"),
	{ 0 },
};

static const struct params defaults = { DEFAULTS, .pages = 256, .writer_rate = RATE_MAX };

static int torture_main(const struct load *load, const void *params)
{
	return program_run(load, params, torture_pass);
}

const struct load torture_load = {
	.name = "torture",
	.doc = "Threads copy from a page that is not in memory, so that each copy has its "
	       "window, and try each page again and again until it is there, while writers "
	       "write as fast as they can. How long does a page take, and is there one that "
	       "never completes?\v"
	       "latency_ns is that of a page from its first attempt on; chains are its EAGAIN "
	       "in a row. One JSON line at the end. Exit: 0, 1 something failed (named on "
	       "stderr), 64 usage.",
	.settings = { common_settings, settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = torture_main,
};
