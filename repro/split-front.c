// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Bug, needless EAGAIN: a protection change elsewhere in a shmem mapping makes UFFDIO_COPY fail.
/*
 * mprotect() of page 0 splits the VMA. The destination's VMA then starts at another page and has
 * another vm_pgoff, which 7.1 and later compare. The destination is still page 4 of the same file.
 * Exit status: 0 the copy succeeded (right), 1 it failed (the bug), 77 cannot run here.
 */
#include "repro.h"

#define PAGES 8

static char *area, *source;
static int nested; /* userfaultfd of the source page */
static volatile bool opened;
static _Alignas(PAGE) char bytes[PAGE];

/* The copier has dropped the lock of its destination and sleeps for the source page. */
static void *in_window(void *arg)
{
	struct uffd_msg msg;

	must(read(nested, &msg, sizeof(msg)), "read");
	opened = true;
	must(mprotect(area, PAGE, PROT_READ), "mprotect");
	uffd_copy(nested, source, bytes, PAGE); /* the copy goes on */
	return arg;
}

int main(void)
{
	int file = (int)must(memfd_create("file", 0), "memfd_create");
	int uffd = uffd_open();
	const char *result;
	pthread_t thread;
	char c = 0;

	must(ftruncate(file, PAGES * PAGE), "ftruncate");
	area = map(NULL, PAGES * PAGE, MAP_SHARED, file, 0);
	uffd_register(uffd, area, PAGES * PAGE);
	bytes[0] = 'S';
	nested = uffd_open();
	source = map(NULL, PAGE, ANON, -1, 0);
	uffd_register(nested, source, PAGE);

	thread = start(in_window, NULL);
	result = uffd_copy(uffd, area + 4 * PAGE, source, PAGE);
	if (!opened)
		errx(77, "no window opened: %s", result);
	pthread_join(thread, NULL);

	printf("destination: page 4 of a file\n"
	       "in the window: mprotect(page 0, PROT_READ)\n"
	       "UFFDIO_COPY: %s\n",
	       result);
	if (!strcmp(result, "EAGAIN"))
		printf("UFFDIO_COPY again: %s\n", uffd_copy(uffd, area + 4 * PAGE, source, PAGE));
	must(pread(file, &c, 1, 4 * PAGE), "pread");
	printf("page 4 of the file: %s\n", c == 'S' ? "the source" : "empty");
	return judge(!strcmp(result, "ok"),
		     "the copy succeeds, for its destination was page 4 of the file all the time",
		     strcmp(result, "ok") ? "the copy failed" : "the copy succeeded");
}
