// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Writers by other system calls: NUMA policy, shared memory, prctl, AIO, mseal; and two writers in
// one window.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "known/writers/writers.h"

#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static int bind_to_node(uint64_t start, unsigned int mode)
{
	unsigned long node0 = 1;

	return OR_ERRNO(syscall(SYS_mbind, start, PAGE, mode, &node0, 8 * sizeof(node0), 0));
}

static int run_mbind(struct writers *w)
{
	return bind_to_node(w->dst, MPOL_BIND);
}

static int before_home_node(struct writers *w)
{
	return bind_to_node((uint64_t)inner(w), MPOL_BIND);
}

static int run_home_node(struct writers *w)
{
	return OR_ERRNO(syscall(SYS_set_mempolicy_home_node, inner(w), PAGE, 0, 0));
}

static int before_shm(struct writers *w)
{
	w->shm = shmget(IPC_PRIVATE, 1024 * PAGE, 0600);
	return OR_ERRNO(w->shm < 0);
}

static int run_shmat(struct writers *w)
{
	void *at = shmat(w->shm, NULL, 0);

	w->mapped = (uint64_t)at;
	return OR_ERRNO(at == (void *)-1);
}

static int after_shmat(struct writers *w)
{
	return OR_ERRNO(shmdt((void *)w->mapped) || shmctl(w->shm, IPC_RMID, NULL));
}

static int before_shmdt(struct writers *w)
{
	int err = before_shm(w);

	return err ? err : run_shmat(w);
}

static int run_shmdt(struct writers *w)
{
	return OR_ERRNO(shmdt((void *)w->mapped));
}

static int after_shmdt(struct writers *w)
{
	return OR_ERRNO(shmctl(w->shm, IPC_RMID, NULL));
}

static int before_remap(struct writers *w)
{
	const struct mapping shared = { .backing = BACKED_FILE, .shared = true };

	return arena_map(&w->ground.arena, w->area, 4, &shared);
}

static int run_remap(struct writers *w)
{
	return OR_ERRNO(syscall(SYS_remap_file_pages, w->area, PAGE, 0, 2, 0));
}

static int run_prctl(struct writers *w)
{
	(void)w;
	return OR_ERRNO(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
}

static int run_io_setup(struct writers *w)
{
	w->aio = 0;
	return OR_ERRNO(syscall(SYS_io_setup, 4096, &w->aio));
}

static int run_io_destroy(struct writers *w)
{
	return OR_ERRNO(syscall(SYS_io_destroy, w->aio));
}

/* A sealed mapping cannot be unmapped: a new one each time. */
static int run_mseal(struct writers *w)
{
	return OR_ERRNO(syscall(SYS_mseal, w->mapped, PAGE, 0));
}

static int map_few(struct writers *w)
{
	return map_now(w, 2);
}

static int run_two(struct writers *w)
{
	return OR_ERRNO(munmap((void *)PAGE, PAGE) || madvise(inner(w), PAGE, MADV_DONTDUMP));
}

const struct operation other_call_operations[] = {
	{ .name = "mbind",
	  .run = run_mbind,
	  .writers = { { .op = "mbind", .flags = "MPOL_BIND", .covers = true } } },
	{ .name = "set_mempolicy_home_node",
	  .before = before_home_node,
	  .run = run_home_node,
	  .writers = { { .op = "set_mempolicy_home_node" } } },
	{ .name = "shmat",
	  .before = before_shm,
	  .run = run_shmat,
	  .after = after_shmat,
	  .writers = { { .op = "shmat" } } },
	{ .name = "shmdt",
	  .before = before_shmdt,
	  .run = run_shmdt,
	  .after = after_shmdt,
	  .writers = { { .op = "shmdt" } } },
	{ .name = "remap_file_pages",
	  .before = before_remap,
	  .run = run_remap,
	  .writers = { { .op = "remap_file_pages" } } },
	{ .name = "prctl-thp-disable",
	  .run = run_prctl,
	  .writers = { { .op = "prctl", .flags = "PR_SET_THP_DISABLE" } } },
	{ .name = "io_setup",
	  .run = run_io_setup,
	  .after = run_io_destroy,
	  .writers = { { .op = "io_setup" } } },
	{ .name = "io_destroy",
	  .before = run_io_setup,
	  .run = run_io_destroy,
	  .writers = { { .op = "io_destroy" } } },
	{ .name = "mseal", .before = map_few, .run = run_mseal, .writers = { { .op = "mseal" } } },
	{ .name = "two-writers",
	  .run = run_two,
	  .writers = { { .op = "munmap" }, { .op = "madvise", .advice = "MADV_DONTDUMP" } } },
	{ 0 },
};
