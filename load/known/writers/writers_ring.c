// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A madvise by io_uring's worker: io_uring never does one in the submitter's context.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "known/writers/writers.h"

int before_ring(struct writers *w)
{
	struct ring *ring = &w->ring;
	size_t rings;

	*ring = (struct ring) { .rings = NULL };
	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		return -errno;
	rings = ring->params.sq_off.array + 4 * sizeof(unsigned int);
	ring->rings = mmap(NULL, rings + 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			   IORING_OFF_SQ_RING);
	if (ring->rings == MAP_FAILED)
		ring->rings = mmap(NULL, rings, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
				   IORING_OFF_SQ_RING);
	ring->sqes =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return OR_ERRNO(ring->rings == MAP_FAILED || (void *)ring->sqes == MAP_FAILED);
}

int run_ring(struct writers *w)
{
	struct ring *ring = &w->ring;
	unsigned int *tail = (unsigned int *)((char *)ring->rings + ring->params.sq_off.tail);
	unsigned int *array = (unsigned int *)((char *)ring->rings + ring->params.sq_off.array);

	ring->sqes[0] = (struct io_uring_sqe) {
		.opcode = IORING_OP_MADVISE,
		.addr = (uint64_t)inner(w),
		.len = PAGE,
		.fadvise_advice = MADV_DONTDUMP,
	};
	array[0] = 0;
	__atomic_store_n(tail, 1, __ATOMIC_RELEASE);
	return OR_ERRNO(
		syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1);
}

int after_ring(struct writers *w)
{
	size_t rings = w->ring.params.sq_off.array + 4 * sizeof(unsigned int);

	return OR_ERRNO(munmap(w->ring.sqes, PAGE) || munmap(w->ring.rings, rings) ||
			close(w->ring.fd));
}
