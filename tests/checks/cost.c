// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * What an UFFDIO_COPY costs whose source page is not mapped, by the kind of its destination. Time is
 * CLOCK_MONOTONIC's: in a guest that counts instructions (tests/vm/run --icount) a nanosecond is an
 * instruction, and the cheapest of many rounds has no interrupt in it. Prints a line for each kind.
 */
#include "bench/area.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HUGE (512 * PAGE)
#define ROUNDS 96

static struct kind {
	const char *name;
	int file; /* -1: anonymous memory */
	size_t page;
	int batch; /* copies a round */
	uint8_t *dst, *src;
} kinds[] = {
	{ .name = "anon", .page = PAGE, .batch = 64 },
	{ .name = "shmem", .page = PAGE, .batch = 64 },
	{ .name = "hugetlb", .page = HUGE, .batch = 4 },
};

static size_t length(const struct kind *k)
{
	return (size_t)k->batch * k->page;
}

static void set_up(struct kind *k, int uffd, int file)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	k->file = file;
	if (file >= 0 && ftruncate(file, (off_t)length(k)))
		die("ftruncate");
	k->dst = mmap(NULL, length(k), PROT_READ | PROT_WRITE,
		      file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, file, 0);
	if (k->dst == MAP_FAILED)
		die("mmap");
	k->src = map_area(length(k) / PAGE, 0);
	memset(k->src, 1, length(k));
	reg.range.start = (uint64_t)k->dst;
	reg.range.len = length(k);
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("UFFDIO_REGISTER");
}

/* Empty the destination, and the first small page of each page of the source. */
static void prepare(const struct kind *k)
{
	if (madvise(k->dst, length(k), k->file < 0 ? MADV_DONTNEED : MADV_REMOVE))
		die("madvise");
	for (int i = 0; i < k->batch; i++)
		if (madvise(k->src + (size_t)i * k->page, PAGE, MADV_DONTNEED))
			die("madvise");
}

static uint64_t run_round(const struct kind *k, int uffd)
{
	uint64_t begin = now_ns();

	for (int i = 0; i < k->batch; i++) {
		struct uffdio_copy copy = { .dst = (uint64_t)k->dst + (uint64_t)i * k->page,
					    .src = (uint64_t)k->src + (uint64_t)i * k->page,
					    .len = k->page };

		if (ioctl(uffd, UFFDIO_COPY, &copy))
			die("UFFDIO_COPY");
	}
	return now_ns() - begin;
}

int main(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		die("userfaultfd");
	set_up(&kinds[0], uffd, -1);
	set_up(&kinds[1], uffd, memfd_create("cost", 0));
	set_up(&kinds[2], uffd, memfd_create("cost", MFD_HUGETLB));
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		uint64_t best = UINT64_MAX;

		for (int i = 0; i < ROUNDS; i++) {
			uint64_t ns;

			prepare(&kinds[k]);
			ns = run_round(&kinds[k], uffd);
			best = ns < best ? ns : best;
		}
		printf("%s %.1f\n", kinds[k].name, (double)best / kinds[k].batch);
	}
	return 0;
}
