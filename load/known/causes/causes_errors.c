// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Copies that fail without a window: the page exists, no VMA, a bad argument, a file too short, no
// mm.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known/causes/causes.h"

/* The first page failed before. */
static int case_short_exists(struct causes *c)
{
	int err = causes_set_up(c, "short by EEXIST", 0, 4);
	struct uffdio_copy arg = { .dst = c->dst, .src = causes_mapped(c), .len = 1 };

	if (!err) {
		causes_copy_well(c, 2, 1);
		causes_expect(c, "length 1", ioctl(c->uffd, UFFDIO_COPY, &arg) ? errno : 0, EINVAL);
		causes_add(&c->truth, arg.dst, 1,
			   &(struct ending) { .err = EINVAL, .site = "entry" });
		causes_copy(c, 0, 4, causes_mapped(c),
			    &(struct ending) { .err = EAGAIN,
					       .copied = 2 * PAGE,
					       .stop = "EEXIST",
					       .site = "page" });
	}
	causes_tear_down(c);
	return err;
}

static int case_exists(struct causes *c)
{
	int err = causes_set_up(c, "EEXIST", 0, 1);

	if (!err) {
		causes_copy_well(c, 0, 1);
		causes_copy(c, 0, 1, causes_mapped(c),
			    &(struct ending) { .err = EEXIST, .site = "page" });
	}
	causes_tear_down(c);
	return err;
}

static int case_no_entry(struct causes *c)
{
	int err = causes_set_up(c, "ENOENT", 0, 2);

	if (!err) {
		causes_copy(c, 1, 2, causes_mapped(c),
			    &(struct ending) { .err = ENOENT, .site = "lock" });
		munmap((void *)c->dst, PAGE);
		causes_copy(c, 0, 1, causes_mapped(c),
			    &(struct ending) { .err = ENOENT, .site = "lock" });
	}
	causes_tear_down(c);
	return err;
}

/* The argument cannot be read; or the page is copied, and the result cannot be written. */
static int case_argument(struct causes *c)
{
	int err = causes_set_up(c, "EFAULT of the argument", 0, 1);
	struct uffdio_copy *arg =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (err || arg == MAP_FAILED)
		return err ? err : -errno;
	*arg = (struct uffdio_copy) { .dst = c->dst, .src = causes_mapped(c), .len = PAGE };
	causes_expect(c, "no argument", ioctl(c->uffd, UFFDIO_COPY, NULL) ? errno : 0, EFAULT);
	causes_add(&c->truth, 0, 0,
		   &(struct ending) { .err = EFAULT, .site = "entry", .no_address = true });
	if (mprotect(arg, PAGE, PROT_READ))
		return -errno;
	causes_expect(c, "constant argument", ioctl(c->uffd, UFFDIO_COPY, arg) ? errno : 0, EFAULT);
	causes_add(&c->truth, c->dst, PAGE,
		   &(struct ending) { .err = EFAULT, .site = "result", .installed = PAGE });
	causes_copy(c, 0, 1, causes_mapped(c), &(struct ending) { .err = EEXIST, .site = "page" });
	munmap(arg, PAGE);
	causes_tear_down(c);
	return 0;
}

static int case_invalid(struct causes *c)
{
	int err = causes_set_up(c, "EINVAL", 0, 2);
	struct uffdio_copy arg = {
		.dst = c->dst, .src = causes_mapped(c), .len = PAGE, .mode = UFFDIO_COPY_MODE_WP
	};

	if (err)
		return err;
	causes_expect(c, "not registered for WP", ioctl(c->uffd, UFFDIO_COPY, &arg) ? errno : 0,
		      EINVAL);
	causes_add(&c->truth, c->dst, PAGE, &(struct ending) { .err = EINVAL, .site = "lock" });
	arg.mode = 0;
	arg.dst = c->dst + PAGE;
	arg.len = 1;
	causes_expect(c, "length 1", ioctl(c->uffd, UFFDIO_COPY, &arg) ? errno : 0, EINVAL);
	causes_add(&c->truth, arg.dst, 1, &(struct ending) { .err = EINVAL, .site = "entry" });
	arg.dst++;
	arg.len = PAGE;
	causes_expect(c, "unaligned", ioctl(c->uffd, UFFDIO_COPY, &arg) ? errno : 0, EINVAL);
	causes_add(&c->truth, c->dst + PAGE, PAGE,
		   &(struct ending) { .err = EINVAL, .site = "entry" });
	causes_copy_well(c, 1, 1);
	causes_tear_down(c);
	return 0;
}

/* The kernel refuses every ioctl before UFFDIO_API. */
static int case_no_api(struct causes *c)
{
	int err = causes_set_up(c, "EINVAL before UFFDIO_API", 0, 1);

	causes_tear_down(c);
	c->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (!err && c->uffd < 0)
		err = -errno;
	if (!err)
		causes_copy(c, 0, 1, causes_mapped(c),
			    &(struct ending) { .err = EINVAL, .site = "entry" });
	causes_tear_down(c);
	return err;
}

/* A page beyond the end of a shared file: kernels before 7.1 return another errno. */
static int case_beyond_file(struct causes *c)
{
	int file = memfd_create("short", MFD_CLOEXEC), nested, err = 0;
	bool new = truth_kernel_is_new(c->options->kernel_check);
	uint8_t *area;

	c->name = "beyond the file";
	nested = rig_uffd_open(0);
	if (file < 0 || nested < 0 || ftruncate(file, (off_t)PAGE))
		return -errno;
	area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (area == MAP_FAILED)
		return -errno;
	c->uffd = nested;
	c->dst = (uint64_t)area;
	err = rig_register(c->uffd, c->dst, 2 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	if (!err)
		causes_copy(c, 1, 1, causes_mapped(c),
			    &(struct ending) { .err = new ? ENOMEM : EFAULT, .site = "page" });
	close(file);
	causes_tear_down(c);
	return err;
}

/* The process has ended, its userfaultfd is still open here. */
static int case_no_mm(struct causes *c)
{
	int pipes[2], remote = -1, pidfd, err;
	char byte;
	pid_t child;

	err = causes_set_up(c, "ESRCH", 0, 1);
	causes_tear_down(c);
	if (err || pipe(pipes))
		return err ? err : -errno;
	child = fork();
	if (child == 0) {
		remote = rig_uffd_open(0);
		if (write(pipes[1], &remote, sizeof(remote)) == sizeof(remote))
			pause();
		_exit(1);
	}
	if (read(pipes[0], &remote, sizeof(remote)) != sizeof(remote))
		return -EIO;
	pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	c->uffd = (int)syscall(SYS_pidfd_getfd, pidfd, remote, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[1]);
	/* A process drops its mm before its files: then read() sees the pipe closed. */
	if (read(pipes[0], &byte, 1) != 0 || c->uffd < 0)
		return -EIO;
	causes_copy(c, 0, 1, causes_mapped(c), &(struct ending) { .err = ESRCH, .site = "entry" });
	close(pidfd);
	close(pipes[0]);
	causes_tear_down(c);
	return 0;
}

int causes_by_error(struct causes *c)
{
	int err = case_short_exists(c);

	if (!err)
		err = case_exists(c);
	if (!err)
		err = case_no_entry(c);
	if (!err)
		err = case_argument(c);
	if (!err)
		err = case_invalid(c);
	if (!err)
		err = case_no_api(c);
	if (!err)
		err = case_beyond_file(c);
	return err ? err : case_no_mm(c);
}
