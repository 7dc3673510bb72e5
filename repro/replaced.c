// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Open question: must UFFDIO_COPY fail when its destination was unmapped and mapped anew?
/*
 * An anonymous range is unmapped, mapped anew and registered. For an anonymous VMA 7.1 and later
 * compare only the userfaultfd modes, VM_SHARED and the uffd ops, which are equal before and after.
 * Exit status: 0 whatever the copy did, 77 cannot run here.
 */
#include "repro.h"

#define PAGES 8

static char *area, *source;
static int uffd;
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
	map(area, PAGES * PAGE, ANON, -1, 0);
	uffd_register(uffd, area, PAGES * PAGE);
	uffd_copy(nested, source, bytes, PAGE); /* the copy goes on */
	return arg;
}

int main(void)
{
	const char *result;
	pthread_t thread;
	char old, new;

	uffd = uffd_open();
	area = map(NULL, PAGES * PAGE, ANON, -1, 0);
	area[0] = 'O';
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

	close(uffd); /* a missing page now reads as zero */
	old = area[0];
	new = area[4 * PAGE];
	printf("destination: page 4 of an anonymous mapping, whose page 0 has other bytes\n"
	       "in the window: unmapped, mapped anew, registered\n"
	       "UFFDIO_COPY: %s\n"
	       "page 0 now: %s\n"
	       "page 4 now: %s\n",
	       result, old ? "the old mapping's" : "empty: the new mapping",
	       new == 'S' ? "the source" : "empty");
	return ask("must a copy fail when its anonymous range was unmapped and mapped anew?",
		   new == 'S' ? "what was meant for the old mapping is in the new one"
			      : "the new mapping is empty");
}
