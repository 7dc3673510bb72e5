// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Small pages made huge ones: by MADV_COLLAPSE and by khugepaged.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "known/writers/writers.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define COLLAPSE_TIMEOUT_MS 60000
#define COLLAPSE_TRIES 100

#define THP "/sys/kernel/mm/transparent_hugepage/"

static char *read_setting(const char *path)
{
	char text[64], *from = text;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	/* always [madvise] never */
	if (strchr(text, '[')) {
		from = strchr(text, '[') + 1;
		*strchrnul(from, ']') = '\0';
	}
	from[strcspn(from, "\n")] = '\0';
	return strdup(from);
}

static bool write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Set "madvise": khugepaged collapses only advised memory. */
void set_up_collapse(struct writers *w)
{
	uint8_t *at =
		mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return;
	w->huge = ((uint64_t)at + HUGE - 1) & ~(HUGE - 1);
	w->enabled = read_setting(THP "enabled");
	w->scan_sleep = read_setting(THP "khugepaged/scan_sleep_millisecs");
	w->may_collapse = w->enabled && w->scan_sleep && write_setting(THP "enabled", "madvise");
}

void restore_settings(struct writers *w)
{
	if (w->enabled)
		write_setting(THP "enabled", w->enabled);
	if (w->scan_sleep)
		write_setting(THP "khugepaged/scan_sleep_millisecs", w->scan_sleep);
	free(w->enabled);
	free(w->scan_sleep);
}

/* Fill it with small pages: huge ones are not allowed yet. A new mapping has no advice left. */
int before_collapse(struct writers *w)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	if (!w->may_collapse)
		return -EPERM;
	if (mmap((void *)w->huge, HUGE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
		return -errno;
	memset((void *)w->huge, 1, HUGE);
	return OR_ERRNO(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
}

int after_collapse(struct writers *w)
{
	(void)w;
	return OR_ERRNO(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
}

int until_collapsed(int (*once)(struct writers *), struct writers *w)
{
	int err = -EAGAIN;

	for (int tries = 0; tries < COLLAPSE_TRIES && err == -EAGAIN; tries++) {
		if (tries)
			usleep(10000);
		err = once(w);
	}
	return err;
}

static int collapse(struct writers *w)
{
	return OR_ERRNO(madvise((void *)w->huge, HUGE, MADV_COLLAPSE));
}

int run_collapse(struct writers *w)
{
	return until_collapsed(collapse, w);
}

static long collapsed(void)
{
	char *text = read_setting(THP "khugepaged/pages_collapsed");
	long n = text ? atol(text) : -1;

	free(text);
	return n;
}

/* Until khugepaged has collapsed it. No allocation here is large enough to map memory. */
int run_khugepaged(struct writers *w)
{
	long before = collapsed();

	if (madvise((void *)w->huge, HUGE, MADV_HUGEPAGE))
		return -errno;
	/* Scan without pause, only for now: it keeps a CPU busy. */
	if (!write_setting(THP "khugepaged/scan_sleep_millisecs", "0"))
		return -EPERM;
	for (int ms = 0; ms < COLLAPSE_TIMEOUT_MS; ms += 10) {
		if (collapsed() > before)
			break;
		usleep(10000);
	}
	write_setting(THP "khugepaged/scan_sleep_millisecs", w->scan_sleep);
	return collapsed() > before ? 0 : -ETIMEDOUT;
}
