// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Bug, another file: UFFDIO_COPY to a hugetlb file succeeds, and the bytes are in another file.
/*
 * In the window another file is mapped over the first and registered. No released kernel compares
 * anything for a hugetlb destination. The argument shmem does the same with small pages: there 7.1 and later
 * fail with EAGAIN, rightly.
 * Exit status: 0 the copy failed (right), 1 it filled the other file (the bug), 77 cannot run here
 * (for hugetlb: sysctl vm.nr_hugepages=4).
 */
#include "repro.h"

static char *area, *source;
static size_t size = 512 * PAGE; /* of a destination page */
static int uffd, file, other;
static int nested; /* userfaultfd of the source's first page */
static volatile bool opened;
static _Alignas(PAGE) char bytes[PAGE];

/* The copier has dropped the lock of its destination and sleeps for the source page. */
static void *in_window(void *arg)
{
	struct uffd_msg msg;

	must(read(nested, &msg, sizeof(msg)), "read");
	opened = true;
	map(area, size, MAP_SHARED, other, 0);
	uffd_register(uffd, area, size);
	uffd_copy(nested, source, bytes, PAGE); /* the copy goes on */
	return arg;
}

static int new_file(unsigned int flags)
{
	int fd = (int)must(memfd_create("file", flags), "memfd_create");

	must(ftruncate(fd, (off_t)size), "ftruncate");
	return fd;
}

static const char *content(int fd)
{
	char c = 0;

	must(pread(fd, &c, 1, 0), "pread");
	return c == 'S' ? "the source" : "empty";
}

int main(int argc, char **argv)
{
	bool shmem = argc > 1 && !strcmp(argv[1], "shmem");
	const char *result;
	pthread_t thread;
	bool filled;

	size = shmem ? PAGE : size;
	file = new_file(shmem ? 0 : MFD_HUGETLB);
	other = new_file(shmem ? 0 : MFD_HUGETLB);
	uffd = uffd_open();
	area = map(NULL, size, MAP_SHARED, file, 0);
	uffd_register(uffd, area, size);
	bytes[0] = 'S';
	nested = uffd_open();
	source = map(NULL, size, ANON, -1, 0);
	madvise(source, size, MADV_NOHUGEPAGE);
	memset(source + PAGE, 'S', size - PAGE); /* all but the first page are mapped */
	uffd_register(nested, source, PAGE);

	thread = start(in_window, NULL);
	result = uffd_copy(uffd, area, source, size);
	if (!opened)
		errx(77, "no window opened: %s", result);
	pthread_join(thread, NULL);

	printf("destination: a %s page of a file\n"
	       "in the window: another file mapped over it, registered\n"
	       "UFFDIO_COPY: %s\n"
	       "the file: %s\n"
	       "the other file: %s\n",
	       shmem ? "shmem" : "hugetlb", result, content(file), content(other));
	filled = !strcmp(content(other), "the source");
	return judge(!strcmp(result, "EAGAIN") && !filled,
		     "the copy fails with EAGAIN and fills nothing",
		     filled ? "what was meant for one file is in another" : "both files are empty");
}
