// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Open question: may UFFDIO_COPY fail because the same page of the same file is mapped through another
// open file?
/*
 * 7.1 and later compare the struct file beside the inode. A file that was opened twice has two
 * struct files.
 * Exit status: 0 whatever the copy did, 77 cannot run here.
 */
#include "repro.h"

#define PAGES 8

static char *area, *source;
static int uffd, again;
static int nested; /* userfaultfd of the source page */
static volatile bool opened;
static _Alignas(PAGE) char bytes[PAGE];

/* The copier has dropped the lock of its destination and sleeps for the source page. */
static void *in_window(void *arg)
{
	struct uffd_msg msg;

	must(read(nested, &msg, sizeof(msg)), "read");
	opened = true;
	map(area, PAGES * PAGE, MAP_SHARED, again, 0);
	uffd_register(uffd, area, PAGES * PAGE);
	uffd_copy(nested, source, bytes, PAGE); /* the copy goes on */
	return arg;
}

int main(void)
{
	int file = (int)must(memfd_create("file", 0), "memfd_create");
	const char *result;
	pthread_t thread;
	char path[32], c = 0;

	must(ftruncate(file, PAGES * PAGE), "ftruncate");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	again = (int)must(open(path, O_RDWR), path);
	uffd = uffd_open();
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
	       "in the window: the same mapped anew through another open() of the file, registered\n"
	       "UFFDIO_COPY: %s\n",
	       result);
	if (!strcmp(result, "EAGAIN"))
		printf("UFFDIO_COPY again: %s\n", uffd_copy(uffd, area + 4 * PAGE, source, PAGE));
	must(pread(file, &c, 1, 4 * PAGE), "pread");
	printf("page 4 of the file: %s\n", c == 'S' ? "the source" : "empty");
	return ask("must a copy fail when its page was mapped anew through another open file?",
		   strcmp(result, "ok") ? "it failed, and page 4 is the destination as before"
					: "it succeeded, and page 4 is the destination as before");
}
