// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The rig that opens windows (lib/rig.h), on this machine's kernel: the result of each way to end a
 * window. A call that fails is reported and leaves neither a mapping nor a descriptor. Skipped
 * where userfaultfd is refused.
 */
#include "failing.h"
#include "unit.h"
#include "userfaultfd.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096UL
#define INJECTED ENFILE /* an errno that none of these calls returns by itself */

static long mapped; /* bytes, by the rig's own calls */

void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len);
int __real_madvise(void *addr, size_t len, int advice);
int __wrap_madvise(void *addr, size_t len, int advice);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);
long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

WRAP(int, mprotect, (void *addr, size_t len, int prot), (addr, len, prot), -1)
WRAP(int, poll, (struct pollfd * fds, nfds_t nr, int timeout), (fds, nr, timeout), -1)
WRAP(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size), -1)
WRAP(int, eventfd, (unsigned int count, int flags), (count, flags), -1)
WRAP(int, memfd_create, (const char *name, unsigned int flags), (name, flags), -1)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), -1)
WRAP(int, pthread_attr_init, (pthread_attr_t * attr), (attr), INJECTED)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attr, void *(*run)(void *), void *data),
     (thread, attr, run, data), INJECTED)

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *p = fails("mmap") ? MAP_FAILED : __real_mmap(addr, len, prot, flags, fd, offset);

	if (p != MAP_FAILED && !(flags & MAP_FIXED))
		mapped += (long)len;
	return p;
}

int __wrap_munmap(void *addr, size_t len)
{
	mapped -= (long)len;
	return __real_munmap(addr, len);
}

int __wrap_madvise(void *addr, size_t len, int advice)
{
	return fails(advice == MADV_NOHUGEPAGE ? "MADV_NOHUGEPAGE" : "madvise")
		       ? -1
		       : __real_madvise(addr, len, advice);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	return fails(request == UFFDIO_COPY ? "UFFDIO_COPY" : "ioctl")
		       ? -1
		       : __real_ioctl(fd, request, arg);
}

int __wrap_open(const char *path, int flags, mode_t mode)
{
	return fails("open") ? -1 : __real_open(path, flags, mode);
}

/* Only userfaultfd(2) fails: a futex call must not. */
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == SYS_userfaultfd && fails("userfaultfd"))
		return -1;
	return __real_syscall(nr, a, b, c, d, e, f);
}

static unsigned char first_byte(const struct rig_target *t, size_t page)
{
	return *(volatile unsigned char *)(t->start + page * PAGE);
}

static struct rig *rig;
static struct rig_target t;
static struct rig_copy copy;

/* A rig for @layout, and a copy to a new target. tear_down() ends both. */
static void set_up(const char *layout, enum rig_kind kind)
{
	assert_int_equal(rig_create(&rig, layout), 0);
	assert_int_equal(rig_target_open(&t, kind, rig_pages(rig)), 0);
	copy = (struct rig_copy) { .uffd = t.uffd, .dst = t.start };
}

static int tear_down(void **state)
{
	if (rig)
		rig_target_close(&t);
	rig_destroy(rig);
	rig = NULL;
	return 0;
}

/* --- What a rig does -------------------------------------------------------------------------- */

/* Three pages: one holds the window, the window of one ends by itself, one is mapped. */
static void the_layout_is_copied(void **state)
{
	set_up("bnm", RIG_ANON);
	assert_int_equal(rig_pages(rig), 3);
	assert_int_not_equal(rig_copier_tid(rig), 0);
	assert_int_equal(rig_start(rig, &copy), 1);
	assert_int_equal(rig_wait(rig, 0), 1);		 /* still */
	assert_int_equal(rig_begin(rig, &copy), -EBUSY); /* one at a time */
	assert_int_equal(rig_go_on(rig, RIG_FILL), 0);
	assert_int_equal(rig_wait(rig, 0), 0); /* nothing under way */
	assert_int_equal(rig_result(rig).err, 0);
	assert_int_equal(rig_result(rig).copied, 3 * PAGE);
	assert_int_equal(first_byte(&t, 0), 0);
	assert_int_equal(first_byte(&t, 1), 0);
	assert_int_equal(first_byte(&t, 2), RIG_PATTERN);
	assert_int_equal(rig_resolve(rig, RIG_FILL), -EINVAL); /* no window is held */
	rig_target_close(&t);				       /* once more in tear_down() */
	rig_destroy(NULL);
}

/* The source is damaged and the copy fails; after mending the next copy succeeds. */
static void a_damaged_source(void **state)
{
	set_up("b", RIG_SHMEM);
	assert_int_equal(rig_mend(rig), 0); /* nothing to mend */
	for (int how = RIG_UNMAP; how <= RIG_PROTECT; how++) {
		assert_int_equal(rig_start(rig, &copy), 1);
		assert_int_equal(rig_go_on(rig, (enum rig_source)how), 0);
		assert_int_equal(rig_result(rig).err, EFAULT);
		assert_int_equal(rig_begin(rig, &copy), -EBUSY); /* to be mended first */
		assert_int_equal(rig_mend(rig), 0);
		assert_int_equal(rig_start(rig, &copy), 1);
		assert_int_equal(rig_go_on(rig, RIG_FILL), 0);
		assert_int_equal(rig_result(rig).err, 0);
		rig_target_close(&t);
		assert_int_equal(rig_target_open(&t, RIG_SHMEM, 1), 0);
		copy = (struct rig_copy) { .uffd = t.uffd, .dst = t.start };
	}
}

static void a_held_window_ends_with_the_rig(void **state)
{
	set_up("b", RIG_ANON);
	assert_int_equal(rig_start(rig, &copy), 1);
	rig_destroy(rig);
	rig = NULL;
	assert_int_equal(first_byte(&t, 0), 0); /* the copy was made */
	rig_target_close(&t);
}

/*
 * The caller's own source, whose fault the rig does not resolve: the wait times out, the copy ends
 * later.
 */
static void a_wait_ends(void **state)
{
	struct rig_target source;

	set_up("m", RIG_ANON);
	assert_int_equal(rig_target_open(&source, RIG_ANON, 1), 0);
	copy.src = source.start;
	copy.len = PAGE;
	assert_int_equal(rig_begin(rig, &copy), 0);
	assert_int_equal(rig_wait(rig, 50), -ETIMEDOUT);
	assert_int_equal(rig_zeropage(source.uffd, source.start, PAGE), 0);
	assert_int_equal(rig_wait(rig, RIG_TIMEOUT_MS), 0);
	assert_int_equal(rig_result(rig).copied, PAGE);
	rig_target_close(&source);
}

/* A capital is 512 pages: the first blocks, the others are mapped. */
static void huge_layouts(void **state)
{
	set_up("B", RIG_ANON);
	assert_int_equal(rig_pages(rig), RIG_HUGE);
	assert_int_equal(rig_start(rig, &copy), 1);
	assert_int_equal(rig_go_on(rig, RIG_FILL), 0);
	assert_int_equal(rig_result(rig).copied, RIG_HUGE * PAGE);
	assert_int_equal(first_byte(&t, 0), 0);
	assert_int_equal(first_byte(&t, RIG_HUGE - 1), RIG_PATTERN);
}

static void what_is_no_layout(void **state)
{
	struct rig *none;

	assert_int_equal(rig_create(&none, ""), -EINVAL);
	assert_int_equal(rig_create(&none, "bx"), -EINVAL);
}

/* A kernel that lacks a feature refuses it, and nothing is left open. */
static void an_unknown_feature(void **state)
{
	int before = descriptors();

	assert_int_equal(rig_uffd_open(1ULL << 63), -EINVAL);
	assert_int_equal(descriptors(), before);
}

/* --- Each call fails once --------------------------------------------------------------------- */

/* All operations of a rig. Returns the first error, with everything closed. */
static int everything(void)
{
	static const enum rig_source ends[] = { RIG_FILL, RIG_UNMAP, RIG_PROTECT };
	struct rig *all = NULL;
	struct rig_target targets[2] = { { .uffd = -1, .file = -1 }, { .uffd = -1, .file = -1 } };
	int err = rig_create(&all, "bm");

	for (int kind = 0; !err && kind < 2; kind++)
		err = rig_target_open(&targets[kind], (enum rig_kind)kind, 2);
	for (size_t i = 0; !err && i < COUNT(ends); i++) {
		struct rig_copy one = { .uffd = targets[i % 2].uffd, .dst = targets[i % 2].start };

		err = rig_start(all, &one);
		if (err == 1)
			err = rig_go_on(all, ends[i]);
		/* A failure in the copier is the copy's result. */
		if (!err && rig_result(all).err == INJECTED)
			err = -INJECTED;
		if (!err)
			err = rig_mend(all);
	}
	if (!err)
		err = rig_unregister(targets[1].uffd, targets[1].start, targets[1].len);
	rig_target_close(&targets[0]);
	rig_target_close(&targets[1]);
	rig_destroy(all);
	return err;
}

/*
 * Failures that the rig ignores: MADV_NOHUGEPAGE, the guard page, the system call if the device
 * works.
 */
static bool is_no_matter(const char *what, int err)
{
	return !err && (!strcmp(what, "MADV_NOHUGEPAGE") || !strcmp(what, "mprotect") ||
			!strcmp(what, "userfaultfd"));
}

static void each_call_that_fails_is_told(void **state)
{
	int before = descriptors(), unminded = 0, told = 0;
	long mapped_before = mapped;

	for (int at = 1;; at++) {
		int err;

		arm(at, INJECTED);
		err = everything();
		if (!failing.what) {
			assert_int_equal(err, 0);
			break;
		}
		if (is_no_matter(failing.what, err)) {
			unminded++;
		} else {
			/*
			 * -ENOMEM is the map of the rig itself, -EIO a read or the copier, -EPERM
			 * the device.
			 */
			bool is_told = err == -INJECTED || err == -ENOMEM || err == -EIO ||
				       err == -EPERM;

			expect_u64(failing.what, is_told, true);
			told++;
		}
		arm(0, 0);
		expect_u64(failing.what ?: "left", descriptors(), before);
		expect_u64("mapped", mapped, mapped_before);
	}
	arm(0, 0);
	/*
	 * Four of MADV_NOHUGEPAGE, one of the guard page; three of the system call if the device
	 * can be opened.
	 */
	assert_true(unminded == 8 || unminded == 5);
	assert_true(told > 40);
}

/*
 * Without userfaultfd(2) the device serves; without both the error is EPERM, but not where only
 * file descriptors are missing.
 */
static void no_userfaultfd_at_all(void **state)
{
	arm(1, ENOSYS);
	failing.on = true;
	assert_int_equal(rig_uffd_open(0), -EPERM);
	arm(1, EMFILE);
	failing.on = true;
	assert_int_equal(rig_uffd_open(0), -EMFILE);
	arm(0, 0);
}

#define test(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_layout_is_copied),
		test(a_damaged_source),
		test(a_held_window_ends_with_the_rig),
		test(a_wait_ends),
		test(huge_layouts),
		test(what_is_no_layout),
		test(an_unknown_feature),
		test(each_call_that_fails_is_told),
		test(no_userfaultfd_at_all),
	};

	return cmocka_run_group_tests_name("rig", tests, need_userfaultfd, NULL);
}
