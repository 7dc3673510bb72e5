// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Open question: must UFFDIO_COPY fail when its range was given to another userfaultfd? It fills the
// page, and does not wake the thread that waits there.
/*
 * In the window the range is unregistered and registered with another userfaultfd, which 7.1 and
 * later do not compare. A thread touches the page and waits in the new userfaultfd. The copy
 * through the old one succeeds, and wakes only threads that wait in the old one. It needs no
 * window: a copy that begins later does not compare the two either.
 * Exit status: 0 whatever the copy did, 77 cannot run here.
 */
#include "repro.h"

#include <time.h>

static char *page, *source;
static int uffd, other;
static int nested; /* userfaultfd of the source page */
static volatile bool opened;
static pthread_t toucher;
static _Alignas(PAGE) char bytes[PAGE], other_bytes[PAGE];

static void *touch(void *found)
{
	*(char *)found = *(volatile char *)page;
	return NULL;
}

/* The copier has dropped the lock of its destination and sleeps for the source page. */
static void *in_window(void *found)
{
	struct uffdio_range range = { (size_t)page, 2 * PAGE };
	struct uffd_msg msg;

	must(read(nested, &msg, sizeof(msg)), "read");
	opened = true;
	must(ioctl(uffd, UFFDIO_UNREGISTER, &range), "UFFDIO_UNREGISTER");
	uffd_register(other, page, 2 * PAGE);
	toucher = start(touch, found);
	must(read(other, &msg, sizeof(msg)), "read"); /* the toucher sleeps */
	uffd_copy(nested, source, bytes, PAGE);	      /* the copy goes on */
	return NULL;
}

static bool wakes_within_a_second(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	return !pthread_timedjoin_np(toucher, NULL, &until);
}

int main(void)
{
	struct uffdio_range range;
	const char *result, *others, *no_window;
	bool woken, woken_by_other;
	pthread_t thread;
	char found = 0;

	uffd = uffd_open();
	other = uffd_open();
	page = map(NULL, 2 * PAGE, ANON, -1, 0);
	uffd_register(uffd, page, 2 * PAGE);
	bytes[0] = 'S';
	other_bytes[0] = 'O';
	nested = uffd_open();
	source = map(NULL, PAGE, ANON, -1, 0);
	uffd_register(nested, source, PAGE);

	thread = start(in_window, &found);
	result = uffd_copy(uffd, page, source, PAGE);
	if (!opened)
		errx(77, "no window opened: %s", result);
	pthread_join(thread, NULL);

	woken = wakes_within_a_second();
	others = uffd_copy(other, page, other_bytes, PAGE);
	woken_by_other = woken || wakes_within_a_second();
	range = (struct uffdio_range) { (size_t)page, PAGE };
	must(ioctl(other, UFFDIO_WAKE, &range), "UFFDIO_WAKE");
	if (!woken_by_other)
		pthread_join(toucher, NULL);
	no_window = uffd_copy(uffd, page + PAGE, bytes, PAGE);
	printf("destination: an anonymous page\n"
	       "in the window: unregistered, registered with another userfaultfd; a thread waits there\n"
	       "UFFDIO_COPY: %s\n"
	       "the thread, a second after: %s\n"
	       "UFFDIO_COPY by the other userfaultfd: %s\n"
	       "the thread, a second after that: %s\n"
	       "the thread, after UFFDIO_WAKE by the other: found %s\n"
	       "UFFDIO_COPY through the old one to the next page, without a window: %s\n",
	       result, woken ? "awake" : "asleep", others, woken_by_other ? "awake" : "asleep",
	       found == 'S' ? "the source" : "other bytes", no_window);
	return ask("must a copy fail when its range was given to another userfaultfd?",
		   strcmp(result, "ok") ? "it failed"
		   : woken		? "it filled the page and woke the thread that waits there"
			   : "it filled the page, and the thread that waits there slept on");
}
