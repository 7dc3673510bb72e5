// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Copies that an unread event refuses: mmap_changing is raised at the entry, or before the first
// lock.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known/causes/causes.h"

/* Not all in the headers of Debian 12. */
struct load_uffdio_move {
	uint64_t dst, src, len, mode;
	int64_t move;
};
struct load_uffdio_poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define LOAD_UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct load_uffdio_move)
#define LOAD_UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct load_uffdio_poison)
#define LOAD_UFFDIO_RWPROTECT _IOWR(UFFDIO, 0x09, struct uffdio_writeprotect)
#define LOAD_UFFDIO_CONTINUE _IOWR(UFFDIO, 0x07, struct load_uffdio_poison)

static int do_unmap(void *arg)
{
	struct causes *c = arg;

	return munmap((void *)(c->dst + (c->pages - 1) * PAGE), PAGE) ? -errno : 0;
}

static int do_remap(void *arg)
{
	struct causes *c = arg;
	void *last = (void *)(c->dst + (c->pages - 1) * PAGE);
	void *to = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mremap(last, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED ? -errno
											 : 0;
}

static const struct ending refused_at_entry = { .err = EAGAIN, .site = "entry", .refused = true };

/* Until the event is read the kernel refuses every copy. */
static int case_entry(struct causes *c, hand_job job, const char *holder)
{
	int err = causes_raise(c, job);
	uint64_t i;

	if (err)
		return err;
	causes_raised(&c->truth, holder);
	for (i = 0; i < c->options->chain; i++)
		causes_copy(c, 0, 1, causes_mapped(c), &refused_at_entry);
	err = causes_read_event(c);
	causes_copy_well(c, 0, 1);
	return err;
}

static int refused_entry(struct causes *c, const char *name, uint64_t feature, hand_job job,
			 const char *holder)
{
	int err = causes_set_up(c, name, feature, 3);

	if (!err)
		err = case_entry(c, job, holder);
	causes_tear_down(c);
	return err;
}

static void fill(struct causes *c, unsigned long cmd, void *arg, const char *name)
{
	int error = ioctl(c->uffd, cmd, arg) ? errno : 0;

	/* Kernels before 6.6 (POISON), 6.8 (MOVE) and 7.3 (RWPROTECT) do not know them. */
	if (error == EINVAL)
		causes_fill(&c->truth, name, "EINVAL");
	else
		causes_expect(c, name, error, EAGAIN);
	if (error == EAGAIN)
		causes_fill(&c->truth, name, "mmap_changing");
}

/* The other fill ioctls under an unread event, and without one. */
static int case_fills(struct causes *c)
{
	int err = causes_set_up(c, "fills", UFFD_FEATURE_EVENT_REMOVE, 3);
	struct uffdio_writeprotect wp = { .range = { c->dst, PAGE } };
	struct load_uffdio_move move = { .dst = c->dst, .src = causes_mapped(c), .len = PAGE };
	struct load_uffdio_poison poison = { .range = { c->dst, PAGE } };
	struct uffdio_zeropage zero = { .range = { c->dst, PAGE } };

	if (!err)
		err = causes_raise(c, causes_remove);
	if (err)
		return err;
	causes_raised(&c->truth, REMOVE_HOLDER);
	fill(c, UFFDIO_ZEROPAGE, &zero, "zeropage");
	fill(c, UFFDIO_WRITEPROTECT, &wp, "writeprotect");
	fill(c, LOAD_UFFDIO_MOVE, &move, "move");
	fill(c, LOAD_UFFDIO_CONTINUE, &poison, "continue");
	fill(c, LOAD_UFFDIO_POISON, &poison, "poison");
	fill(c, LOAD_UFFDIO_RWPROTECT, &wp, "rwprotect");
	err = causes_read_event(c);
	causes_expect(c, "zeropage", rig_zeropage(c->uffd, c->dst, PAGE), 0);
	causes_fill(&c->truth, "zeropage", "ok");
	causes_expect(c, "zeropage", rig_zeropage(c->uffd, c->dst, PAGE), -EEXIST);
	causes_fill(&c->truth, "zeropage", "EEXIST");
	causes_tear_down(c);
	return err;
}

struct blocked_call {
	int uffd;
	struct uffdio_copy *arg;
	int err;
};

static void *blocked_copier(void *data)
{
	struct blocked_call *call = data;

	call->err = ioctl(call->uffd, UFFDIO_COPY, call->arg) ? errno : 0;
	return NULL;
}

/*
 * Between the test at the entry and the first lock the kernel reads its argument. That lies in a
 * hole of a file under another userfaultfd, so the kernel waits there, and the event is raised
 * meanwhile.
 */
static int case_lock(struct causes *c)
{
	int err = causes_set_up(c, "lock", UFFD_FEATURE_EVENT_REMOVE, 3),
	    file = memfd_create("argument", MFD_CLOEXEC);
	struct uffdio_copy value = { .dst = c->dst, .src = causes_mapped(c), .len = PAGE };
	int nested = rig_uffd_open(0);
	struct pollfd fd = { .fd = nested, .events = POLLIN };
	struct blocked_call call = { .uffd = c->uffd };
	struct uffdio_range range = { .len = PAGE };
	struct uffd_msg msg;
	pthread_t thread;

	if (err || file < 0 || nested < 0 || ftruncate(file, (off_t)PAGE))
		return err ? err : -errno;
	call.arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	range.start = (uint64_t)call.arg;
	err = rig_register(nested, range.start, PAGE, UFFDIO_REGISTER_MODE_MISSING);
	if (!err)
		err = -pthread_create(&thread, NULL, blocked_copier, &call);
	if (err)
		return err;
	if (poll(&fd, 1, CAUSES_TIMEOUT_MS) != 1 || read(nested, &msg, sizeof(msg)) != sizeof(msg))
		return -ETIMEDOUT;
	err = causes_raise(c, causes_remove);
	causes_raised(&c->truth, REMOVE_HOLDER);
	if (pwrite(file, &value, sizeof(value), 0) != sizeof(value) ||
	    ioctl(nested, UFFDIO_WAKE, &range))
		return -errno;
	pthread_join(thread, NULL);
	causes_expect(c, "errno", call.err, EAGAIN);
	causes_add(&c->truth, c->dst, PAGE,
		   &(struct ending) { .err = EAGAIN, .site = "lock", .refused = true });
	if (!err)
		err = causes_read_event(c);
	causes_copy_well(c, 0, 1);
	munmap(call.arg, PAGE);
	close(nested);
	close(file);
	causes_tear_down(c);
	return err;
}

/* An mremap that fails must not leave mmap_changing raised. */
static int case_failed_remap(struct causes *c)
{
	int err = causes_set_up(c, "failed mremap", UFFD_FEATURE_EVENT_REMAP, 3);

	if (!err && mremap((void *)c->dst, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   (void *)c->dst) != MAP_FAILED)
		err = -EIO;
	if (!err && mremap((void *)c->dst, 4 * PAGE, 1ULL << 46, MREMAP_MAYMOVE) != MAP_FAILED)
		err = -EIO;
	if (!err)
		causes_copy_well(c, 0, 1);
	causes_tear_down(c);
	return err;
}

/* fork() by the system call of 32-bit code, whose numbers are others. ENOSYS where there is none. */
static pid_t fork_32_bit(void)
{
	long ret = -ENOSYS;

#ifdef __x86_64__
	/* A kernel with 32-bit code has this file. */
	if (!access("/proc/sys/abi/vsyscall32", F_OK))
		asm volatile("int $0x80" : "=a"(ret) : "a"(2L) : "memory");
#endif
	if (ret >= 0)
		return (pid_t)ret;
	errno = (int)-ret;
	return -1;
}

static int fork_in_vain(pid_t (*do_fork)(void))
{
	pid_t pid;

	alarm(CAUSES_TIMEOUT_MS / 1000); /* a fork that succeeds waits for a reader of its event */
	pid = do_fork();
	alarm(0);
	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(0);
	return waitpid(pid, NULL, 0) == pid ? 0 : -errno;
}

static void failed_fork(struct causes *c, pid_t (*do_fork)(void), const char *holder)
{
	int error = fork_in_vain(do_fork);

	if (error == ENOSYS)
		return;
	causes_raised(&c->truth, holder);
	causes_expect(c, "errno of fork", error, ENOMEM);
}

/*
 * A fork that fails after it raised mmap_changing lowers it: two here, and one of 32-bit code, whose
 * system call has no name. They fail at a mapping behind
 * the destination: two halves, each smaller than memory, that are one mapping larger than it. Up to
 * 6.8 such a fork sends its event.
 */
static int case_failed_fork(struct causes *c)
{
	const size_t pages = 3, half = (size_t)sysconf(_SC_PHYS_PAGES) / 10 * 6 * PAGE;
	const size_t size = (pages + 1) * PAGE + 2 * half;
	uint8_t *dst, *behind;
	int err;

	if (c->options->locks == TRUTH_LOCKS_MMAP)
		return 0;
	dst = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (dst == MAP_FAILED)
		return -errno;
	behind = dst + (pages + 1) * PAGE;
	err = causes_set_up_at(c, dst, "failed fork", UFFD_FEATURE_EVENT_FORK, pages);
	if (!err && (mprotect(behind, half, PROT_READ | PROT_WRITE) ||
		     mprotect(behind + half, half, PROT_READ | PROT_WRITE)))
		err = -errno;
	if (!err) {
		failed_fork(c, fork, "fork/clone/");
		failed_fork(c, fork, "fork/clone/");
		failed_fork(c, fork_32_bit, "fork//");
	}
	munmap(behind, 2 * half);
	if (!err)
		causes_copy_well(c, 0, 1);
	causes_tear_down(c);
	return err;
}

int causes_by_event(struct causes *c)
{
	int err = refused_entry(c, "REMOVE event", UFFD_FEATURE_EVENT_REMOVE, causes_remove,
				REMOVE_HOLDER);

	if (!err)
		err = refused_entry(c, "UNMAP event", UFFD_FEATURE_EVENT_UNMAP, do_unmap,
				    "unmap/munmap/");
	if (!err)
		err = refused_entry(c, "REMAP event", UFFD_FEATURE_EVENT_REMAP, do_remap,
				    "remap/mremap/");
	if (!err)
		err = case_fills(c);
	if (!err)
		err = case_lock(c);
	if (!err)
		err = case_failed_fork(c);
	return err ? err : case_failed_remap(c);
}
