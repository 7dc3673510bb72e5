// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Writers by a userfaultfd: registering, unregistering, and its last close.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <unistd.h>

#include "known/writers/writers.h"

static int run_register(struct writers *w)
{
	return rig_register(w->place.other_uffd, (uint64_t)inner(w), PAGE,
			    UFFDIO_REGISTER_MODE_MISSING);
}

static int run_register_dst(struct writers *w)
{
	return rig_register(w->place.uffd, w->place.start, PLACE_PAGES * PAGE,
			    UFFDIO_REGISTER_MODE_MISSING);
}

static int run_unregister(struct writers *w)
{
	return rig_unregister(w->place.other_uffd, (uint64_t)inner(w), PAGE);
}

static int run_unregister_dst(struct writers *w)
{
	return rig_unregister(w->place.uffd, w->place.start, PLACE_PAGES * PAGE);
}

static int run_zeropage(struct writers *w)
{
	return rig_zeropage(w->place.uffd, w->dst + PAGE, PAGE);
}

static int before_close(struct writers *w)
{
	w->fd = rig_uffd_open(0);
	if (w->fd < 0)
		return w->fd;
	return rig_register(w->fd, (uint64_t)inner(w), PAGE, UFFDIO_REGISTER_MODE_MISSING);
}

static int run_close(struct writers *w)
{
	return OR_ERRNO(close(w->fd));
}

const struct operation uffd_operations[] = {
	{ .name = "uffd-register",
	  .run = run_register,
	  .writers = { { .op = "UFFDIO_REGISTER", .syscall = "ioctl" } } },
	{ .name = "uffd-register-dst",
	  .run = run_register_dst,
	  .writers = { { .op = "UFFDIO_REGISTER", .syscall = "ioctl", .covers = true } } },
	{ .name = "uffd-unregister",
	  .before = run_register,
	  .run = run_unregister,
	  .writers = { { .op = "UFFDIO_UNREGISTER", .syscall = "ioctl" } } },
	{ .name = "uffd-unregister-dst",
	  .run = run_unregister_dst,
	  .writers = { { .op = "UFFDIO_UNREGISTER", .syscall = "ioctl", .covers = true } },
	  .gone = true },
	{ .name = "uffd-zeropage", .run = run_zeropage },
	{ .name = "uffd-close",
	  .before = before_close,
	  .run = run_close,
	  .writers = { { .op = "close" } } },
	{ 0 },
};
