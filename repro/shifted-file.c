// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Bug, wrong page: UFFDIO_COPY to a page of a file succeeds, and the bytes are in another page of it.
/*
 * In the window the file is mapped again two pages further on. vm_pgoff stays 0, and 7.1 and later
 * compare nothing else of the position. The destination was page 4 of the file; now it is page 2.
 * Exit status: 0 the copy failed (right), 1 it filled page 2 (the bug), 77 cannot run here.
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
	must(munmap(area, PAGES * PAGE), "munmap");
	map(area + 2 * PAGE, PAGES * PAGE, MAP_SHARED, file, 0);
	uffd_register(uffd, area + 2 * PAGE, PAGES * PAGE);
	uffd_copy(nested, source, bytes, PAGE); /* the copy goes on */
	return arg;
}

static char byte_of_page(size_t page)
{
	char c = 0;

	must(pread(file, &c, 1, (off_t)(page * PAGE)), "pread");
	return c;
}

int main(void)
{
	const char *result;
	pthread_t thread;
	size_t i;

	file = (int)must(memfd_create("file", 0), "memfd_create");
	must(ftruncate(file, PAGES * PAGE), "ftruncate");
	uffd = uffd_open();
	area = map(NULL, (PAGES + 2) * PAGE, ANON, -1, 0); /* room for both */
	map(area, PAGES * PAGE, MAP_SHARED, file, 0);
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
	       "in the window: the file mapped two pages further on, registered\n"
	       "UFFDIO_COPY: %s\n"
	       "pages of the file (S: the source): ",
	       result);
	for (i = 0; i < PAGES; i++)
		putchar(byte_of_page(i) ? byte_of_page(i) : '.');
	putchar('\n');
	return judge(!strcmp(result, "EAGAIN") && !byte_of_page(2),
		     "the copy fails with EAGAIN and fills nothing",
		     byte_of_page(2) ? "the copy filled page 2, and its destination was page 4"
				     : "page 2 is empty");
}
