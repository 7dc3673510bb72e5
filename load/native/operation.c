// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Calls that hold mmap_lock for write: pairs, so that the second call undoes what the first did.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/rig.h"
#include "native/operation.h"
#include "steps/arena.h"

#define LEN (OPERATION_PAGES * PAGE)
/* More than glibc keeps of stacks (40 MB), so each thread maps one. */
#define STACK (64UL << 20)

static int result(int failed)
{
	return failed ? -errno : 0;
}

/* Returns before it takes mmap_lock: what a call costs that does nothing. */
static int call_none(struct operands *o, int half)
{
	(void)half;
	return result(mprotect(o->at, 0, PROT_READ));
}

static int call_mprotect(struct operands *o, int half)
{
	return result(mprotect(o->at, LEN, half ? PROT_READ | PROT_WRITE : PROT_READ));
}

static int call_mmap(struct operands *o, int half)
{
	if (half)
		return result(munmap(o->map, LEN));
	o->map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return result(o->map == MAP_FAILED);
}

static int call_dontfork(struct operands *o, int half)
{
	return result(madvise(o->at, LEN, half ? MADV_DOFORK : MADV_DONTFORK));
}

static int call_nohugepage(struct operands *o, int half)
{
	return result(madvise(o->at, LEN, half ? MADV_HUGEPAGE : MADV_NOHUGEPAGE));
}

static int call_brk(struct operands *o, int half)
{
	if (!half)
		o->brk = sbrk(0);
	return result(brk(half ? o->brk : o->brk + LEN));
}

static int call_mremap(struct operands *o, int half)
{
	uint8_t *from = half ? o->other : o->at, *to = half ? o->at : o->other;

	return result(mremap(from, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED);
}

static int call_register(struct operands *o, int half)
{
	uint64_t at = (uint64_t)o->at;

	return half ? rig_unregister(o->uffd, at, LEN)
		    : rig_register(o->uffd, at, LEN, UFFDIO_REGISTER_MODE_MISSING);
}

/* fork() itself would run handlers that the C library has registered. */
static int call_fork(struct operands *o, int half)
{
	(void)half;
	o->child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!o->child)
		syscall(SYS_exit_group, 0);
	return result(o->child < 0);
}

static void reap(struct operands *o, int half)
{
	(void)half;
	waitpid(o->child, NULL, 0);
}

static void *end_at_once(void *unused)
{
	return unused;
}

/* mmap() and mprotect() of the stack, and clone(), which holds nothing; then munmap(). */
static int call_thread(struct operands *o, int half)
{
	pthread_attr_t attr;
	int err;

	if (half)
		return -pthread_join(o->thread, NULL);
	pthread_attr_init(&attr);
	err = pthread_attr_setstacksize(&attr, STACK);
	if (!err)
		err = pthread_create(&o->thread, &attr, end_at_once, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

/* The pages are there in both calls. */
static void touch_map(struct operands *o, int half)
{
	if (!half)
		memset(o->map, 1, LEN);
}

static void touch_area(struct operands *o, int half)
{
	if (half)
		memset(o->at, 1, LEN);
}

static void touch_brk(struct operands *o, int half)
{
	if (!half)
		memset(o->brk, 1, LEN);
}

/* clang-format off */
#define OPERATIONS(row) \
	row("none", { "mprotect of no page", NULL }, call_none, NULL) \
	row("mprotect", { "mprotect r", "mprotect rw" }, call_mprotect, NULL) \
	row("mprotect-touched", { "mprotect r, touched", "mprotect rw, touched" }, call_mprotect, \
	    touch_area) \
	row("mmap", { "mmap", "munmap" }, call_mmap, NULL) \
	row("mmap-touched", { "mmap", "munmap, touched" }, call_mmap, touch_map) \
	row("dontfork", { "madvise DONTFORK", "madvise DOFORK" }, call_dontfork, NULL) \
	row("nohugepage", { "madvise NOHUGEPAGE", "madvise HUGEPAGE" }, call_nohugepage, NULL) \
	row("brk", { "brk up", "brk down, touched" }, call_brk, touch_brk) \
	row("mremap", { "mremap, touched", "mremap back, touched" }, call_mremap, touch_area) \
	row("register", { "UFFDIO_REGISTER", "UFFDIO_UNREGISTER" }, call_register, NULL) \
	row("fork", { "fork", NULL }, call_fork, reap) \
	row("thread", { "pthread_create", "pthread_join" }, call_thread, NULL)
/* clang-format on */

#define WORD(word, ...) word,
const char *const operation_words[] = { "all", OPERATIONS(WORD) NULL };

#define ROW(word, ...) { __VA_ARGS__ },
static const struct operation operations[] = { OPERATIONS(ROW) };

const struct operation *operation_of(unsigned int word)
{
	return &operations[word - 1];
}

int operands_create(struct operands *operands)
{
	uint8_t *area = mmap(NULL, 2 * LEN + 3 * PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*operands = (struct operands) { .uffd = -1 };
	if (area == MAP_FAILED)
		return -errno;
	operands->at = area + PAGE;
	operands->other = operands->at + LEN + PAGE;
	if (mmap(operands->at, LEN, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0) == MAP_FAILED)
		return -errno;
	operands->uffd = rig_uffd_open(0);
	return operands->uffd < 0 ? operands->uffd : 0;
}

void operands_destroy(struct operands *operands)
{
	if (operands->at)
		munmap(operands->at - PAGE, 2 * LEN + 3 * PAGE);
	if (operands->uffd >= 0)
		close(operands->uffd);
}
