// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Writers that map, unmap and protect memory.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "known/writers/writers.h"

#define ANON_FIXED "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"

int map_now(struct writers *w, size_t pages)
{
	void *at = mmap(NULL, pages * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	w->mapped = (uint64_t)at;
	w->mapped_len = pages * PAGE;
	return 0;
}

int unmap_now(struct writers *w)
{
	return OR_ERRNO(munmap((void *)w->mapped, w->mapped_len));
}

static int run_mmap(struct writers *w)
{
	return map_now(w, 1024);
}

static int run_map_fixed(struct writers *w)
{
	int flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;

	return OR_ERRNO(mmap((void *)w->dst, PAGE, PROT_READ, flags, -1, 0) == MAP_FAILED);
}

static int run_munmap_dst(struct writers *w)
{
	return OR_ERRNO(munmap((void *)w->dst, PAGE));
}

static int run_munmap_nothing(struct writers *w)
{
	(void)w;
	return OR_ERRNO(munmap((void *)PAGE, PAGE));
}

static int run_mprotect(struct writers *w)
{
	return OR_ERRNO(mprotect((void *)w->dst, PAGE, PROT_READ));
}

static int run_mprotect_same(struct writers *w)
{
	return OR_ERRNO(mprotect((void *)w->dst, PAGE, PROT_READ | PROT_WRITE));
}

static int run_mprotect_elsewhere(struct writers *w)
{
	return OR_ERRNO(mprotect(inner(w), PAGE, PROT_NONE));
}

static int run_mprotect_thrice(struct writers *w)
{
	int err = 0;

	for (int i = 0; i < 3 && !err; i++)
		err = OR_ERRNO(mprotect(inner(w), PAGE,
					i % 2 ? PROT_READ | PROT_WRITE | PROT_EXEC : PROT_EXEC));
	return err;
}

static int run_mprotect_fails(struct writers *w)
{
	(void)w;
	return mprotect((void *)PAGE, PAGE, PROT_WRITE) && errno == ENOMEM ? 0 : -EIO;
}

static int run_pkey_mprotect(struct writers *w)
{
	return OR_ERRNO(syscall(SYS_pkey_mprotect, w->dst, PAGE, PROT_WRITE, -1));
}

const struct operation map_operations[] = {
	{ .name = "mmap",
	  .run = run_mmap,
	  .after = unmap_now,
	  .writers = { { .op = "mmap", .flags = "MAP_PRIVATE|MAP_ANONYMOUS" } } },
	{ .name = "map-fixed",
	  .run = run_map_fixed,
	  .writers = { { .op = "mmap", .flags = ANON_FIXED, .covers = true } },
	  .gone = true },
	{ .name = "munmap",
	  .before = run_mmap,
	  .run = unmap_now,
	  .writers = { { .op = "munmap" } } },
	{ .name = "munmap-dst",
	  .run = run_munmap_dst,
	  .writers = { { .op = "munmap", .covers = true } },
	  .gone = true },
	{ .name = "munmap-nothing", .run = run_munmap_nothing, .writers = { { .op = "munmap" } } },
	{ .name = "mprotect",
	  .run = run_mprotect,
	  .writers = { { .op = "mprotect", .flags = "PROT_READ", .covers = true } } },
	{ .name = "mprotect-same",
	  .run = run_mprotect_same,
	  .writers = { { .op = "mprotect", .flags = "PROT_READ|PROT_WRITE", .covers = true } } },
	{ .name = "mprotect-elsewhere",
	  .run = run_mprotect_elsewhere,
	  .writers = { { .op = "mprotect" } } },
	{ .name = "mprotect-fails",
	  .run = run_mprotect_fails,
	  .writers = { { .op = "mprotect", .flags = "PROT_WRITE" } } },
	{ .name = "mprotect-thrice",
	  .run = run_mprotect_thrice,
	  .writers = { { .op = "mprotect", .flags = "PROT_EXEC", .sections = 2 },
		       { .op = "mprotect", .flags = "PROT_READ|PROT_WRITE|PROT_EXEC" } } },
	{ .name = "pkey_mprotect",
	  .run = run_pkey_mprotect,
	  .writers = { { .op = "pkey_mprotect", .flags = "PROT_WRITE", .covers = true } } },
	{ 0 },
};
