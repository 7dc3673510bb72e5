// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * vanish COUNT SECONDS: copies while another thread discards the whole 2 MiB of the destination, until
 * COUNT of them failed with EAGAIN, or that time is over. Where the kernel frees empty page tables then
 * (CONFIG_PT_RECLAIM, 6.14), a copy that has found its page table finds it gone: EAGAIN by
 * pte_offset_map_lock(), cause `pte`. No window opens, and no event is asked for, so there is no other.
 * Prints the truth, as uffdload does.
 */
#include "lib/clock.h"
#include "lib/rig.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define TABLE (2UL << 20) /* of 4 KiB pages */

static char *dst;
static volatile int done;

static void *discard(void *arg)
{
	while (!done)
		madvise(dst, TABLE, MADV_DONTNEED);
	return arg;
}

static int die(const char *what)
{
	fprintf(stderr, "vanish: %s: %s\n", what, strerror(errno));
	return 1;
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int main(int argc, char **argv)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const int uffd = rig_uffd_open(0);
	char *src = map(page), *area = map(2 * TABLE);
	unsigned long ok = 0, there = 0, again = 0, most;
	pthread_t discarder;
	__u64 end;

	if (argc != 3 || uffd < 0 || !src || !area)
		return die("usage, userfaultfd or mmap");
	most = strtoul(argv[1], NULL, 10);
	end = now_ns() + strtoull(argv[2], NULL, 10) * NS_PER_S;
	dst = (char *)(((unsigned long)area + TABLE - 1) & ~(TABLE - 1));
	if (madvise(area, 2 * TABLE, MADV_NOHUGEPAGE) || madvise(area, 2 * TABLE, MADV_DONTNEED) ||
	    rig_register(uffd, (__u64)dst, TABLE, UFFDIO_REGISTER_MODE_MISSING) ||
	    pthread_create(&discarder, NULL, discard, NULL))
		return die("the destination");
	for (unsigned int i = 0; again < most && now_ns() < end; i++) {
		struct uffdio_copy copy = { .dst = (__u64)dst + i % (TABLE / page) * page,
					    .src = (__u64)src,
					    .len = page };

		if (!ioctl(uffd, UFFDIO_COPY, &copy))
			ok++;
		else if (errno == EEXIST)
			there++;
		else if (errno == EAGAIN)
			again++;
		else
			return die("UFFDIO_COPY");
	}
	done = 1;
	pthread_join(discarder, NULL);
	printf("{\"type\":\"truth\",\"windows\":{\"total\":0},\"copy\":{\"calls\":%lu,\"pages\":%lu,\"bytes\":%zu,"
	       "\"returned\":{\"ok\":%lu,\"EEXIST\":%lu,\"EAGAIN\":%lu}},\"eagain_causes\":{\"pte\":%lu}}\n",
	       ok + there + again, ok, ok * page, ok, there, again, again);
	return 0;
}
