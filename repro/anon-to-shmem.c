// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Bug before 7.1: UFFDIO_COPY to anonymous memory succeeds, and the bytes are in a file.
/*
 * In the window a shared file mapping replaces the anonymous range and is registered. Kernels up to
 * 7.0 compare nothing; 7.1 and later fail with EAGAIN, rightly.
 * Exit status: 0 the copy failed (right), 1 it filled the file (the bug), 77 cannot run here.
 */
#include "repro.h"

#define PAGES 8

static char *area, *source;
static int file, uffd;
static int nested; /* userfaultfd of the source page */
static volatile bool opened;
static _Alignas(PAGE) char bytes[PAGE];

/* The copier has dropped the lock of its destination and sleeps for the source page. */
static void *in_window(void *arg)
{
	struct uffd_msg msg;

	must(read(nested, &msg, sizeof(msg)), "read");
	opened = true;
	map(area, PAGES * PAGE, MAP_SHARED, file, 0);
	uffd_register(uffd, area, PAGES * PAGE);
	uffd_copy(nested, source, bytes, PAGE); /* the copy goes on */
	return arg;
}

int main(void)
{
	const char *result;
	pthread_t thread;
	char c = 0;

	file = (int)must(memfd_create("file", 0), "memfd_create");
	must(ftruncate(file, PAGES * PAGE), "ftruncate");
	uffd = uffd_open();
	area = map(NULL, PAGES * PAGE, ANON, -1, 0);
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

	must(pread(file, &c, 1, 4 * PAGE), "pread");
	printf("destination: page 4 of an anonymous mapping\n"
	       "in the window: a file mapped over it, registered\n"
	       "UFFDIO_COPY: %s\n"
	       "page 4 of the file: %s\n",
	       result, c == 'S' ? "the source" : "empty");
	return judge(!strcmp(result, "EAGAIN") && c != 'S',
		     "the copy fails with EAGAIN and fills nothing",
		     c == 'S' ? "what was meant for anonymous memory is in the file"
			      : "the file is empty");
}
