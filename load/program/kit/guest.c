// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The memory that is filled by userfaultfd, what its pages must hold, and the threads that touch
// it.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program/kit/guest.h"
#include "steps/pace.h"
#include "steps/prng.h"
#include "lib/rig.h"

#define WORDS (PAGE / sizeof(uint64_t))

static bool replaces(const struct params *params)
{
	return params->writer_rate && params->writer_what == WRITER_REPLACE;
}

/* Replaced memory is inaccessible until it is registered: meanwhile a touch is tried again. */
static struct guest *replaced_guest;

static void on_segv(int signal, siginfo_t *info, void *context)
{
	uint64_t at = (uint64_t)info->si_addr;
	const struct guest *guest = replaced_guest;

	(void)context;
	if (at >= guest->start && at < guest->start + guest->pages * guest->page_size)
		sched_yield();
	else
		sigaction(signal, &(struct sigaction) { .sa_handler = SIG_DFL }, NULL);
}

static void catch_segv(struct guest *guest)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO };

	replaced_guest = guest;
	sigaction(SIGSEGV, &action, NULL);
}

static int map_fixed(const struct guest *guest, int prot)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
		    (guest->page_size > PAGE ? MAP_HUGETLB : 0);
	size_t len = guest->pages * guest->page_size;

	return mmap((void *)guest->start, len, prot, flags, -1, 0) == MAP_FAILED ? -errno : 0;
}

static int register_all(const struct guest *guest)
{
	return rig_register(guest->uffd, guest->start, guest->pages * guest->page_size,
			    UFFDIO_REGISTER_MODE_MISSING);
}

static size_t area_size(const struct guest *guest)
{
	return (guest->pages + 3) * guest->page_size;
}

int guest_map(struct guest *guest, struct run *run, int uffd, size_t page_size)
{
	void *area;
	int err;

	*guest = (struct guest) {
		.run = run, .uffd = uffd, .pages = run->params.pages, .page_size = page_size
	};
	guest->may_be_zero = run->params.balloon_rate;
	if (replaces(&run->params))
		catch_segv(guest);
	guest->released = run->params.released;
	area = mmap(NULL, area_size(guest), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (area == MAP_FAILED) {
		err = -errno;
	} else {
		guest->area = (uint64_t)area;
		guest->start = (guest->area + 2 * page_size - 1) / page_size * page_size;
		err = map_fixed(guest, PROT_READ | PROT_WRITE);
		if (!err)
			err = register_all(guest);
	}
	if (err)
		run_fail(run, "cannot map or register the destination: %s", strerror(-err));
	return err;
}

void guest_unmap(struct guest *guest)
{
	if (guest->area)
		munmap((void *)guest->area, area_size(guest));
	guest->area = 0;
	if (guest->uffd >= 0)
		close(guest->uffd);
	guest->uffd = -1;
}

int guest_replace(const struct guest *guest)
{
	int err = map_fixed(guest, PROT_NONE);

	if (!err)
		err = register_all(guest);
	if (!err &&
	    mprotect((void *)guest->start, guest->pages * guest->page_size, PROT_READ | PROT_WRITE))
		err = -errno;
	return err;
}

/* --- contents --------------------------------------------------------------------------------- */

static struct prng page_prng(uint64_t seed, uint64_t n)
{
	return (struct prng) { .state = seed + n * WORDS };
}

void content_fill(void *page, uint64_t seed, uint64_t n)
{
	struct prng prng = page_prng(seed, n);
	uint64_t *word = page;
	size_t i;

	for (i = 0; i < WORDS; i++)
		word[i] = prng_next(&prng);
}

bool content_is_zero(const struct guest *guest, uint64_t n)
{
	struct prng prng = { .state = guest->run->params.seed ^ n };

	return prng_below(&prng, 100) < guest->released;
}

static bool is_content(const volatile uint64_t *word, uint64_t seed, uint64_t n)
{
	struct prng prng = page_prng(seed, n);
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (word[i] != prng_next(&prng))
			return false;
	return true;
}

static bool is_zero(const volatile uint64_t *word)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (word[i])
			return false;
	return true;
}

/* A page may be replaced while it is compared; not this often in a row. */
#define LOOKS 100

/* The nth page of PAGE bytes of the guest. */
static void look_at(struct toucher *toucher, uint64_t n)
{
	const struct guest *guest = toucher->guest;
	const volatile uint64_t *word = (const volatile uint64_t *)(guest->start + n * PAGE);
	bool zero = content_is_zero(guest, n);
	int looks;

	for (looks = 0; looks < LOOKS; looks++) {
		if (zero ? is_zero(word) : is_content(word, guest->run->params.seed, n))
			return;
		if (!guest->may_be_zero)
			break;
		if (is_zero(word)) {
			toucher->tally->counts[COUNT_ZERO_SEEN]++;
			return;
		}
	}
	run_fail(guest->run, "page %llu does not hold what was copied", (unsigned long long)n);
}

/* --- touching --------------------------------------------------------------------------------- */

/* Counts, and fails the run when the page holds anything else. */
static void touch_page(struct toucher *toucher, uint64_t n)
{
	const struct guest *guest = toucher->guest;
	const volatile uint64_t *word =
		(const volatile uint64_t *)(guest->start + n * guest->page_size);
	size_t small = guest->page_size / PAGE;
	int64_t before = now_ns();

	(void)*word;
	tally_latency(toucher->tally, now_ns() - before);
	look_at(toucher, n * small);
	if (small > 1) {
		look_at(toucher, n * small + small / 2);
		look_at(toucher, n * small + small - 1);
	}
}

static void shuffle(uint32_t *order, size_t nr, struct prng *prng)
{
	size_t i, j;

	for (i = nr; i > 1; i--) {
		uint32_t swap = order[i - 1];

		j = prng_below(prng, (uint32_t)i);
		order[i - 1] = order[j];
		order[j] = swap;
	}
}

/* Piece k belongs to thread k modulo the number of threads. */
int toucher_init(struct toucher *toucher, struct guest *guest, unsigned int nth, unsigned int of)
{
	struct run *run = guest->run;
	struct prng prng = { .state = run->params.seed ^ ((uint64_t)nth << 32) ^ run->passes };
	size_t pieces = (run->params.pages + run->params.run - 1) / run->params.run, i;

	*toucher = (struct toucher) { .guest = guest, .tally = run_tally(run) };
	toucher->order = calloc(pieces / of + 1, sizeof(*toucher->order));
	if (!toucher->order) {
		run_fail(run, "no memory");
		return -ENOMEM;
	}
	for (i = nth; i < pieces; i += of)
		toucher->order[toucher->nr++] = (uint32_t)i;
	shuffle(toucher->order, toucher->nr, &prng);
	return 0;
}

void toucher_destroy(struct toucher *toucher)
{
	free(toucher->order);
	toucher->order = NULL;
}

void *touch_share(void *data)
{
	struct toucher *toucher = data;
	const struct guest *guest = toucher->guest;
	struct run *run = guest->run;
	uint64_t piece = run->params.run, n;
	size_t i;

	if (toucher->before)
		toucher->before(toucher);
	run_wait_begin(run);
	for (i = 0; i < toucher->nr; i++)
		for (n = toucher->order[i] * piece;
		     n < (toucher->order[i] + 1) * piece && n < guest->pages; n++) {
			if (run_stopped(run))
				return NULL;
			touch_page(toucher, n);
		}
	return NULL;
}
