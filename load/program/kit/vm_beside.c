// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What happens beside the copies of a restore: a device's buffers, a balloon, remapping,
// prefetching.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "program/kit/vm.h"

#define DEVICE_PAGES 16
#define BALLOON_PAGES 16
#define REMAP_PIECE 16

/* The buffer of one request of a device. */
static int device_once(struct beat *beat)
{
	size_t len = DEVICE_PAGES * PAGE, i;
	uint8_t *buffer =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)beat;
	if (buffer == MAP_FAILED)
		return -errno;
	for (i = 0; i < len; i += PAGE)
		buffer[i] = 1;
	return munmap(buffer, len) ? -errno : 0;
}

/* The kernel returns when the handler has read the event. */
static int balloon_once(struct beat *beat)
{
	const struct guest *guest = beat->guest;
	size_t pages = BALLOON_PAGES < guest->pages ? BALLOON_PAGES : guest->pages;
	size_t first = prng_below(&beat->prng, (uint32_t)(guest->pages - pages + 1));

	return madvise((void *)(guest->start + first * guest->page_size), pages * guest->page_size,
		       MADV_DONTNEED)
		       ? -errno
		       : 0;
}

/* Map a piece of the file beside the guest's memory, as for ranges that are not copied. */
static int remap_once(struct beat *beat)
{
	const struct vm *vm = beat->data;
	size_t len = REMAP_PIECE * PAGE;
	uint64_t at = vm->remapped + prng_below(&beat->prng, REMAP_PAGES / REMAP_PIECE) * len;

	return mmap((void *)at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		    vm->snapshot->fd, 0) == MAP_FAILED
		       ? -errno
		       : 0;
}

/* Copy the next page before any thread faults on it. */
static int prefetch_once(struct beat *beat)
{
	struct vm *vm = beat->data;

	if (vm->next == vm->client.pages)
		return 1;
	if (serve_unasked(&vm->prefetcher, vm->next))
		vm->next++;
	return 0;
}

static struct beat beat_of(struct vm *vm, const char *name, uint64_t rate,
			   int (*once)(struct beat *), enum count count)
{
	return (struct beat) {
		.run = vm->run,
		.name = name,
		.rate = rate,
		.once = once,
		.count = count,
		.guest = &vm->guest,
		.data = vm,
		.tally = run_tally(vm->run),
		.prng.state = vm->run->params.seed + count,
	};
}

void vm_prepare_beside(struct vm *vm)
{
	const struct params *params = &vm->run->params;

	vm->device = beat_of(vm, "device", params->device_rate, device_once, COUNT_DEVICE);
	vm->balloon = beat_of(vm, "balloon", params->balloon_rate, balloon_once, COUNT_BALLOON);
	vm->remap = beat_of(vm, "remap", params->remap_rate, remap_once, COUNT_REMAPS);
	vm->prefetch = beat_of(vm, "prefetch", params->prefetch, prefetch_once, COUNT_PREFETCHES);
}

int vm_start_beside(struct vm *vm)
{
	int err = beat_start(&vm->beside, &vm->device);

	if (!err)
		err = beat_start(&vm->beside, &vm->balloon);
	if (!err)
		err = beat_start(&vm->beside, &vm->remap);
	if (!err)
		err = beat_start(&vm->beside, &vm->prefetch);
	return err ? err : writers_start(&vm->writers, &vm->guest);
}
