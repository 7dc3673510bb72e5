// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The threads of `uffdload busy`: copiers, each with its own destination, and one writer.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "known/busy/busy.h"

int busy_wait_gate(const struct busy_run *run)
{
	char unused;

	return read(run->gate[0], &unused, 1) ? -EPIPE : 0;
}

void busy_open_gate(struct busy_run *run)
{
	close(run->gate[1]);
}

/* --- copiers ---------------------------------------------------------------------------------- */

/* Only for reading: mmap_lock may be held for write by nobody but the writer. */
int busy_empty(const struct busy_copier *copier)
{
	const struct busy_run *run = copier->run;
	int advice = run->options->kind == TRUTH_KIND_SHMEM ? MADV_REMOVE : MADV_DONTNEED;

	return madvise((void *)copier->dst, run->area * run->page, advice) ? -errno : 0;
}

static int ask_owner(const struct busy_copier *copier)
{
	int err;

	if (write(copier->owner, "", 1) != 1 ||
	    read(copier->owner, &err, sizeof(err)) != (ssize_t)sizeof(err))
		return -EPIPE;
	return err;
}

/* The source must be untouched again, too. */
static int empty(const struct busy_copier *copier)
{
	const struct busy_run *run = copier->run;

	if (madvise((void *)copier->src, run->area * run->page, MADV_DONTNEED))
		return -errno;
	return copier->owner < 0 ? busy_empty(copier) : ask_owner(copier);
}

static int copy_pages(struct busy_copier *copier, size_t first, size_t pages)
{
	uint64_t offset = first * copier->run->page, len = pages * copier->run->page;
	struct uffdio_copy copy = { .dst = copier->dst + offset,
				    .src = copier->src + offset,
				    .len = len };
	int err = ioctl(copier->run->uffd, UFFDIO_COPY, &copy) ? errno : 0;

	copies_add(&copier->copies, err, err ? 0 : len);
	return -err;
}

/* Fill the destination, or a part when less is left to copy, and empty it. */
static int fill(struct busy_copier *copier)
{
	const struct busy_run *run = copier->run;
	size_t pages = copier->left < run->area ? copier->left : run->area;
	size_t done, now;
	int err = 0;

	for (done = 0; done < pages && !err; done += now) {
		now = run->options->pages_per_copy;
		if (now > pages - done)
			now = pages - done;
		err = copy_pages(copier, done, now);
	}
	copier->left -= pages;
	return err ? err : empty(copier);
}

static void *copy_all(void *data)
{
	struct busy_copier *copier = data;

	copier->err = busy_wait_gate(copier->run);
	while (copier->left && !copier->err)
		copier->err = fill(copier);
	pthread_barrier_wait(&copier->run->all_copied);
	return NULL;
}

int busy_start_copiers(struct busy_run *run)
{
	unsigned int n;
	int err = pthread_barrier_init(&run->all_copied, NULL, run->options->copiers + 1);

	for (n = 0; n < run->options->copiers && !err; n++)
		err = pthread_create(&run->copiers[n].thread, NULL, copy_all, &run->copiers[n]);
	return -err;
}

void busy_end_copiers(struct busy_run *run)
{
	unsigned int n;

	pthread_barrier_wait(&run->all_copied);
	for (n = 0; n < run->options->copiers; n++)
		pthread_join(run->copiers[n].thread, NULL);
}

/* --- the writer ------------------------------------------------------------------------------- */

/* The same protection as before: mmap_lock is held for write, and no VMA is locked. */
static void *write_all(void *data)
{
	struct busy_run *run = data;

	run->writer_err = busy_wait_gate(run);
	while (!atomic_load_explicit(&run->stop, memory_order_relaxed) && !run->writer_err) {
		if (mprotect((void *)run->scratch, PAGE, PROT_READ | PROT_WRITE))
			run->writer_err = -errno;
		run->writes++;
	}
	return NULL;
}

int busy_start_writer(struct busy_run *run)
{
	return run->options->writer ? -pthread_create(&run->writer, NULL, write_all, run) : 0;
}

void busy_end_writer(struct busy_run *run)
{
	atomic_store(&run->stop, true);
	if (run->options->writer)
		pthread_join(run->writer, NULL);
}
