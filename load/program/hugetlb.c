// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A restore into huge pages: all its small pages of the file in one window, and no check after it.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>

#include "program/kit/program.h"
#include "program/kit/vm.h"

/* A fault on a page beyond those that are free would be SIGBUS. */
static int lacks_huge_pages(struct run *run)
{
	unsigned long long nr = 0;
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%lukB/free_hugepages",
		 HUGE >> 10);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%llu", &nr) != 1)
		nr = 0;
	if (file)
		fclose(file);
	if (nr >= run->params.pages)
		return 0;
	run_fail(run, "%llu huge pages of %lu MiB are free, %llu are needed (vm.nr_hugepages)", nr,
		 HUGE >> 20, (unsigned long long)run->params.pages);
	return -ENOTSUP;
}

static int hugetlb_pass(struct run *run)
{
	int err = run->passes ? 0 : lacks_huge_pages(run);

	return err ? err : vm_restore(run, HUGE, true);
}

static int hugetlb_main(const struct load *load, const void *params)
{
	return program_run(load, params, hugetlb_pass);
}

static const struct params defaults = { DEFAULTS, .pages = 16, .run = 1, .device_rate = 100 };

const struct load hugetlb_load = {
	.name = "hugetlb",
	.doc = "A restore into huge pages of 2 MiB, as with Firecracker's huge_pages=2M: "
	       "--pages counts huge pages, and each copy brings one from 512 small pages of the "
	       "mapped file. The kernel checks nothing after this retry.\v"
	       "Needs free huge pages (vm.nr_hugepages). One JSON line at the end. Exit: 0 all "
	       "pages were right, 1 not (named on stderr), 64 usage, 77 this machine lacks what "
	       "is needed.",
	.settings = { common_settings, vm_settings, file_settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = hugetlb_main,
};
