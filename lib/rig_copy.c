// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One copy of a rig: it opens a retry window and holds it, so that its class is known beforehand.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/rig_source.h"

#define RIG_STACK_SIZE (256 * 1024)

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static long futex(atomic_uint *word, int op, unsigned int value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

/* --- the copier thread ------------------------------------------------------------------------ */

static void copy_once(struct rig *rig)
{
	int err;

	rig->arg = (struct uffdio_copy) {
		.dst = rig->copy.dst,
		.src = rig->copy.src,
		.len = rig->copy.len,
		.mode = rig->copy.mode,
	};
	err = ioctl(rig->copy.uffd, UFFDIO_COPY, &rig->arg) ? errno : 0;
	rig->result = (struct rig_result) { .err = err, .copied = rig->arg.copy };
}

static void *copier(void *data)
{
	struct rig *rig = data;
	const uint64_t one = 1;
	unsigned int seen = 0;

	atomic_store(&rig->tid, (pid_t)syscall(SYS_gettid));
	for (;;) {
		while (atomic_load(&rig->turn) == seen)
			futex(&rig->turn, FUTEX_WAIT_PRIVATE, seen);
		seen++;
		if (rig->quit)
			return NULL;
		copy_once(rig);
		if (write(rig->ended, &one, sizeof(one)) != sizeof(one))
			return NULL;
	}
}

static void next_turn(struct rig *rig)
{
	atomic_fetch_add(&rig->turn, 1);
	futex(&rig->turn, FUTEX_WAKE_PRIVATE, 1);
}

/* The copier gets no signals, and a stack that is mapped already: no write section. */
static int start_copier(struct rig *rig)
{
	uint8_t *stack = (uint8_t *)rig + rig->size - RIG_STACK_SIZE;
	pthread_attr_t attr;
	sigset_t all, before;
	int err;

	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	err = pthread_attr_setstack(&attr, stack, RIG_STACK_SIZE);
	if (!err) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		err = pthread_create(&rig->thread, &attr, copier, rig);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attr);
	rig->has_thread = !err;
	return -err;
}

/* --- one copy --------------------------------------------------------------------------------- */

int rig_begin(struct rig *rig, const struct rig_copy *copy)
{
	int err;

	if (rig->busy || rig->damaged)
		return -EBUSY;
	err = source_empty(rig);
	if (err)
		return err;
	rig->copy = *copy;
	if (!copy->src)
		rig->copy.src = (uint64_t)rig->source;
	if (!copy->len)
		rig->copy.len = rig->pages * rig->page;
	rig->busy = true;
	rig->held = 0;
	next_turn(rig);
	return 0;
}

/* 1 a window is held, 0 there was no event. */
static int read_fault(struct rig *rig)
{
	struct uffd_msg msg;
	ssize_t n = read(rig->nested, &msg, sizeof(msg));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n != sizeof(msg) || msg.event != UFFD_EVENT_PAGEFAULT)
		return -EIO;
	rig->held = msg.arg.pagefault.address & ~(uint64_t)(rig->page - 1);
	return 1;
}

static int read_end(struct rig *rig)
{
	uint64_t count;

	if (read(rig->ended, &count, sizeof(count)) != sizeof(count))
		return -EIO;
	rig->busy = false;
	return 0;
}

int rig_wait(struct rig *rig, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = rig->nested, .events = POLLIN },
		{ .fd = rig->ended, .events = POLLIN },
	};
	int64_t until = now_ms() + timeout_ms;
	int64_t left;
	int n;

	if (rig->held)
		return 1;
	if (!rig->busy)
		return 0;
	for (;;) {
		left = until - now_ms();
		n = poll(fds, 2, left > 0 ? (int)left : 0);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && fds[1].revents)
			return read_end(rig);
		if (n > 0 && fds[0].revents) {
			n = read_fault(rig);
			if (n)
				return n;
		}
		if (left <= 0)
			return -ETIMEDOUT;
	}
}

int rig_resolve(struct rig *rig, enum rig_source how)
{
	uint64_t held = rig->held;
	int err;

	if (!held)
		return -EINVAL;
	/* Before the copier can run into the next blocked page. */
	if (how != RIG_FILL)
		err = source_damage(rig, how);
	else
		err = rig_zeropage(rig->nested, held, rig->page);
	if (!err)
		rig->held = 0;
	return err;
}

int rig_start(struct rig *rig, const struct rig_copy *copy)
{
	int err = rig_begin(rig, copy);

	return err ? err : rig_wait(rig, RIG_TIMEOUT_MS);
}

int rig_go_on(struct rig *rig, enum rig_source how)
{
	int err = rig_resolve(rig, how);

	return err ? err : rig_wait(rig, RIG_TIMEOUT_MS);
}

struct rig_result rig_result(const struct rig *rig)
{
	return rig->result;
}

size_t rig_pages(const struct rig *rig)
{
	return rig->pages;
}

uint64_t rig_source_address(const struct rig *rig)
{
	return (uint64_t)rig->source;
}

pid_t rig_copier_tid(const struct rig *rig)
{
	return atomic_load(&rig->tid);
}

/* --- life ------------------------------------------------------------------------------------- */

/* The rig, a guard page and the copier's stack in one mapping. */
static struct rig *map_rig(const char *layout)
{
	size_t page = page_size();
	size_t own = round_up(sizeof(struct rig) + source_pages(layout) + 1, page);
	size_t size = own + page + RIG_STACK_SIZE;
	struct rig *rig = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (rig == MAP_FAILED)
		return NULL;
	mprotect((uint8_t *)rig + own, page, PROT_NONE);
	rig->size = size;
	rig->page = page;
	rig->pages = source_pages(layout);
	source_expand(rig->layout, layout);
	rig->nested = -1;
	rig->ended = -1;
	return rig;
}

/*
 * A copy to an invalid descriptor: the copier has then run each of its calls once, and no lazily
 * bound symbol or first page fault is left for the first window.
 */
static int rehearse(struct rig *rig)
{
	struct rig_copy none = { .uffd = -1 };
	int err = rig_start(rig, &none);

	if (err)
		return err < 0 ? err : -EIO;
	return rig->result.err == EBADF ? 0 : -EIO;
}

static int set_up(struct rig *rig)
{
	int err;

	rig->nested = rig_uffd_open(0);
	if (rig->nested < 0)
		return rig->nested;
	rig->ended = eventfd(0, EFD_CLOEXEC);
	if (rig->ended < 0)
		return -errno;
	err = source_map(rig);
	if (!err)
		err = start_copier(rig);
	return err ? err : rehearse(rig);
}

int rig_create(struct rig **out, const char *layout)
{
	struct rig *rig;
	int err;

	if (!*layout || layout[strspn(layout, "bnmBNM")])
		return -EINVAL;
	rig = map_rig(layout);
	if (!rig)
		return -ENOMEM;
	err = set_up(rig);
	if (err) {
		rig_destroy(rig);
		return err;
	}
	*out = rig;
	return 0;
}

/* Closing the nested userfaultfd wakes a copier that sleeps in it. */
void rig_destroy(struct rig *rig)
{
	if (!rig)
		return;
	if (rig->nested >= 0)
		close(rig->nested);
	if (rig->has_thread) {
		rig->quit = true;
		next_turn(rig);
		pthread_join(rig->thread, NULL);
	}
	if (rig->ended >= 0)
		close(rig->ended);
	if (rig->source)
		munmap(rig->source - rig->page, (rig->pages + 2) * rig->page);
	munmap(rig, rig->size);
}
