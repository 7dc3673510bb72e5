// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Opens the retry window of one UFFDIO_COPY and holds it open, so that its class is known beforehand.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/rig.h"

#define RIG_STACK_SIZE (256 * 1024)

/* From linux/userfaultfd.h of 5.18 and later. */
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

struct rig {
	/* Written by the caller, read by the copier after it saw the new turn. */
	atomic_uint turn; /* futex: one more for each copy */
	bool quit;
	struct rig_copy copy;
	/* Written by the copier, read by the caller after it read from ended. */
	struct uffdio_copy arg;
	struct rig_result result;
	_Atomic pid_t tid;

	/* The caller's own. */
	bool busy;		/* a copy is under way */
	uint64_t held;		/* the source page that holds a window open, or 0 */
	enum rig_source damage; /* done to the page at damaged */
	uint64_t damaged;
	int nested; /* userfaultfd of the source's b pages */
	int ended;  /* eventfd: the copier has returned */
	pthread_t thread;
	bool has_thread;
	size_t page;
	size_t pages;
	uint8_t *source; /* the first layout page */
	size_t size;	 /* of this mapping: rig, guard page, stack */
	char layout[];
};

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

/* --- userfaultfd ------------------------------------------------------------------------------------------- */

/* Root may always; others need vm.unprivileged_userfaultfd or access to the device. */
static int uffd_new(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int device;

	if (fd >= 0)
		return fd;
	device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -EPERM;
	fd = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		fd = -errno;
	close(device);
	return fd;
}

int rig_uffd_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = uffd_new();

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int rig_register(int uffd, uint64_t start, uint64_t len, uint64_t mode)
{
	struct uffdio_register arg = { .range = { start, len }, .mode = mode };

	return ioctl(uffd, UFFDIO_REGISTER, &arg) ? -errno : 0;
}

int rig_unregister(int uffd, uint64_t start, uint64_t len)
{
	struct uffdio_range range = { start, len };

	return ioctl(uffd, UFFDIO_UNREGISTER, &range) ? -errno : 0;
}

int rig_zeropage(int uffd, uint64_t start, uint64_t len)
{
	struct uffdio_zeropage arg = { .range = { start, len } };

	return ioctl(uffd, UFFDIO_ZEROPAGE, &arg) ? -errno : 0;
}

static int wake(int uffd, uint64_t start, uint64_t len)
{
	struct uffdio_range range = { start, len };

	return ioctl(uffd, UFFDIO_WAKE, &range) ? -errno : 0;
}

/* --- the copier thread -------------------------------------------------------------------------------------- */

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

/* Signals are for the program's own threads. Its stack is mapped already: a new one would write mmap_lock. */
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

/* --- the source --------------------------------------------------------------------------------------------- */

static uint8_t *source_page(const struct rig *rig, size_t i)
{
	return rig->source + i * rig->page;
}

/* The length of the run of equal letters that begins at i. */
static size_t run_length(const struct rig *rig, size_t i)
{
	size_t n = 1;

	while (i + n < rig->pages && rig->layout[i + n] == rig->layout[i])
		n++;
	return n;
}

static int register_blocked(struct rig *rig)
{
	size_t i, n;
	int err;

	for (i = 0; i < rig->pages; i += n) {
		n = run_length(rig, i);
		if (rig->layout[i] != 'b')
			continue;
		err = rig_register(rig->nested, (uint64_t)source_page(rig, i), n * rig->page,
				   UFFDIO_REGISTER_MODE_MISSING);
		if (err)
			return err;
	}
	return 0;
}

/* A huge page would map the untouched pages beside it: no window there. */
static int map_source(struct rig *rig)
{
	size_t len = (rig->pages + 2) * rig->page;
	uint8_t *area = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t i;

	if (area == MAP_FAILED)
		return -errno;
	rig->source = area + rig->page;
	madvise(rig->source, rig->pages * rig->page, MADV_NOHUGEPAGE);
	if (mprotect(rig->source, rig->pages * rig->page, PROT_READ | PROT_WRITE))
		return -errno;
	for (i = 0; i < rig->pages; i++)
		if (rig->layout[i] == 'm')
			memset(source_page(rig, i), RIG_PATTERN, rig->page);
	return register_blocked(rig);
}

/* MADV_DONTNEED takes mmap_lock for reading only, so windows of other rigs stay as they are. */
static int empty_source(struct rig *rig)
{
	size_t i, n;

	for (i = 0; i < rig->pages; i += n) {
		n = run_length(rig, i);
		if (rig->layout[i] != 'm' && madvise(source_page(rig, i), n * rig->page, MADV_DONTNEED))
			return -errno;
	}
	return 0;
}

/* Over what is there, so that no other thread's mmap() can get in between. */
static int map_source_page(struct rig *rig, uint64_t address, int prot)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	return mmap((void *)address, rig->page, prot, flags, -1, 0) == MAP_FAILED ? -errno : 0;
}

static int damage_source(struct rig *rig, enum rig_source how)
{
	int err;

	if (how == RIG_UNMAP)
		err = map_source_page(rig, rig->held, PROT_NONE);
	else
		err = mprotect((void *)rig->held, rig->page, PROT_NONE) ? -errno : 0;
	if (err)
		return err;
	rig->damage = how;
	rig->damaged = rig->held;
	return wake(rig->nested, rig->held, rig->page);
}

int rig_mend(struct rig *rig)
{
	void *page = (void *)rig->damaged;
	int err = 0;

	if (!rig->damaged)
		return 0;
	if (rig->damage == RIG_UNMAP) {
		err = map_source_page(rig, rig->damaged, PROT_READ | PROT_WRITE);
		if (err)
			return err;
		madvise(page, rig->page, MADV_NOHUGEPAGE);
		err = rig_register(rig->nested, rig->damaged, rig->page, UFFDIO_REGISTER_MODE_MISSING);
	} else if (mprotect(page, rig->page, PROT_READ | PROT_WRITE)) {
		err = -errno;
	}
	if (!err)
		rig->damaged = 0;
	return err;
}

/* --- one copy ----------------------------------------------------------------------------------------------- */

int rig_begin(struct rig *rig, const struct rig_copy *copy)
{
	int err;

	if (rig->busy || rig->damaged)
		return -EBUSY;
	err = empty_source(rig);
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

/* 1 a window is held, 0 there was nothing to read after all. */
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
		err = damage_source(rig, how);
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

/* --- life --------------------------------------------------------------------------------------------------- */

static size_t layout_pages(const char *layout)
{
	size_t pages = 0;

	for (; *layout; layout++)
		pages += *layout < 'a' ? RIG_HUGE : 1;
	return pages;
}

/* One small letter a page. */
static void expand_layout(char *to, const char *layout)
{
	for (; *layout; layout++) {
		if (*layout >= 'a') {
			*to++ = *layout;
			continue;
		}
		memset(to, 'm', RIG_HUGE);
		*to = (char)(*layout - 'A' + 'a');
		to += RIG_HUGE;
	}
	*to = '\0';
}

/* The rig, a guard page and the copier's stack in one mapping. */
static struct rig *map_rig(const char *layout)
{
	size_t page = page_size();
	size_t own = round_up(sizeof(struct rig) + layout_pages(layout) + 1, page);
	size_t size = own + page + RIG_STACK_SIZE;
	struct rig *rig = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (rig == MAP_FAILED)
		return NULL;
	mprotect((uint8_t *)rig + own, page, PROT_NONE);
	rig->size = size;
	rig->page = page;
	rig->pages = layout_pages(layout);
	expand_layout(rig->layout, layout);
	rig->nested = -1;
	rig->ended = -1;
	return rig;
}

/*
 * A copy to a descriptor that cannot be one: no userfaultfd sees it, but the copier has run each of its calls once,
 * so that nothing (a lazily bound symbol, a first page fault) is left for the first window.
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
	err = map_source(rig);
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

/* --- a destination ------------------------------------------------------------------------------------------ */

static int map_target(struct rig_target *target)
{
	void *want = (void *)target->start;
	int flags = MAP_FIXED | (target->kind == RIG_ANON ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);

	if (target->kind == RIG_SHMEM) {
		target->file = memfd_create("uffdretry", MFD_CLOEXEC);
		if (target->file < 0 || ftruncate(target->file, (off_t)target->len))
			return -errno;
	}
	if (mmap(want, target->len, PROT_READ | PROT_WRITE, flags, target->file, 0) == MAP_FAILED)
		return -errno;
	madvise(want, target->len, MADV_NOHUGEPAGE);
	return rig_register(target->uffd, target->start, target->len, UFFDIO_REGISTER_MODE_MISSING);
}

int rig_target_open(struct rig_target *target, enum rig_kind kind, size_t pages)
{
	size_t page = page_size();
	uint8_t *area;
	int err;

	*target = (struct rig_target) { .kind = kind, .uffd = -1, .file = -1, .len = pages * page };
	area = mmap(NULL, target->len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	target->start = (uint64_t)area + page;
	target->uffd = rig_uffd_open(0);
	err = target->uffd < 0 ? target->uffd : map_target(target);
	if (err)
		rig_target_close(target);
	return err;
}

void rig_target_close(struct rig_target *target)
{
	size_t page = page_size();

	if (target->start)
		munmap((uint8_t *)target->start - page, target->len + 2 * page);
	if (target->uffd >= 0)
		close(target->uffd);
	if (target->file >= 0)
		close(target->file);
	*target = (struct rig_target) { .uffd = -1, .file = -1 };
}
