// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * longcopy: after one UFFDIO_COPY that fails, copies of one page, whose length becomes 1 TiB while they
 * are under way: what the programs read of it then is no bound for them. Prints the longest, in
 * microseconds, from the end of its window on.
 */
#include "lib/clock.h"
#include "lib/rig_source.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define COPIES 10

static void die(const char *what, int err)
{
	fprintf(stderr, "longcopy: %s: %s\n", what, strerror(err));
	exit(1);
}

/* To the page before the destination, which is not registered: no copy ends its chain. */
static void fail_once(const struct rig_target *dst)
{
	const __u64 page = dst->len / COPIES;
	struct uffdio_copy arg = { .dst = dst->start - page, .src = dst->start, .len = page };

	if (!ioctl(dst->uffd, UFFDIO_COPY, &arg) || errno != ENOENT)
		die("the copy that fails", errno);
}

static __u64 copy_page(struct rig *rig, const struct rig_target *dst, int page)
{
	const struct rig_copy copy = { .uffd = dst->uffd,
				       .dst = dst->start + (__u64)page * (dst->len / COPIES) };
	int err = rig_start(rig, &copy);
	__u64 begin;

	if (err != 1)
		die("no window", -err);
	rig->arg.len = 1ULL << 40;
	begin = now_ns();
	err = rig_go_on(rig, RIG_FILL);
	if (err || rig_result(rig).err)
		die("the copy", err ? -err : rig_result(rig).err);
	return now_ns() - begin;
}

int main(void)
{
	struct rig_target dst;
	struct rig *rig;
	__u64 longest = 0;
	int err = rig_create(&rig, "b") ?: rig_target_open(&dst, RIG_ANON, COPIES);

	if (err)
		die("the rig", -err);
	fail_once(&dst);
	for (int i = 0; i < COPIES; i++) {
		const __u64 took = copy_page(rig, &dst, i);

		longest = took > longest ? took : longest;
	}
	printf("%llu\n", longest / 1000);
	return 0;
}
