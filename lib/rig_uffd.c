// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The few calls of a userfaultfd that the rig and its users need.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/rig.h"

/* From linux/userfaultfd.h of 5.18 and later. */
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

/* Root always may; others need vm.unprivileged_userfaultfd or access to the device. */
static int uffd_new(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int device;

	if (fd >= 0)
		return fd;
	device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : -EPERM;
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
