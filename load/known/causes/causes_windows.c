// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Copies that fail in or after their window: an event at the relock, the kernel's check, the
// source; also short ones.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>

#include "known/causes/causes.h"

static int raise_remove(struct causes *c)
{
	causes_raised(&c->truth, REMOVE_HOLDER);
	return causes_raise(c, causes_remove);
}

static int add_wp(struct causes *c)
{
	return rig_register(c->uffd, c->dst, c->pages * PAGE,
			    UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP);
}

static int unmap_third(struct causes *c)
{
	return munmap((void *)(c->dst + 2 * PAGE), PAGE) ? -errno : 0;
}

/* An event refuses it at the relock; issued again, it opens another window and succeeds. */
static int case_relock(struct causes *c)
{
	int err = causes_set_up(c, "relock", UFFD_FEATURE_EVENT_REMOVE, 3);

	if (!err)
		err = causes_hold(c, c->one, raise_remove, RIG_FILL,
				  &(struct ending) { .err = EAGAIN,
						     .site = "relock",
						     .refused = true,
						     .window = "blocked" });
	if (!err)
		err = causes_read_event(c);
	if (!err)
		err = causes_hold(c, c->one, NULL, RIG_FILL,
				  &(struct ending) { .err = 0, .window = "quiet" });
	causes_tear_down(c);
	return err;
}

/* The kernel's check refuses it; issued again from a mapped page, it has no window. */
static int case_snapshot(struct causes *c)
{
	int err = causes_set_up(c, "snapshot", 0, 1);

	if (!err)
		err = causes_hold(c, c->one, add_wp, RIG_FILL,
				  &(struct ending) {
					  .err = EAGAIN, .site = "check", .window = "real" });
	causes_copy_well(c, 0, 1);
	causes_tear_down(c);
	return err;
}

/* Two of three pages are copied; the third is not. */
static int short_by(struct causes *c, const char *name, int (*act)(struct causes *c),
		    enum rig_source how, const char *stop, const char *site, const char *window,
		    bool refused)
{
	const struct ending e = { .err = EAGAIN,
				  .copied = 2 * PAGE,
				  .stop = stop,
				  .site = site,
				  .window = window,
				  .refused = refused };
	int err = causes_set_up(c, name, UFFD_FEATURE_EVENT_REMOVE, 4);

	if (!err)
		err = causes_hold(c, c->third, act, how, &e);
	if (!err && refused)
		err = causes_read_event(c);
	causes_tear_down(c);
	return err;
}

/* The source cannot be read. */
static int case_source(struct causes *c)
{
	int err = causes_set_up(c, "EFAULT of the source", 0, 1);

	if (!err)
		err = causes_hold(c, c->one, NULL, RIG_UNMAP,
				  &(struct ending) {
					  .err = EFAULT, .site = "source", .window = "aborted" });
	causes_tear_down(c);
	return err;
}

int causes_in_window(struct causes *c)
{
	int err = case_relock(c);

	if (!err && truth_kernel_is_new(c->options->kernel_check))
		err = case_snapshot(c);
	if (!err)
		err = short_by(c, "short by EFAULT", NULL, RIG_UNMAP, "EFAULT", "source", "aborted",
			       false);
	if (!err)
		err = short_by(c, "short by ENOENT", unmap_third, RIG_FILL, "ENOENT", "relock",
			       "gone", false);
	if (!err)
		err = short_by(c, "short by EAGAIN", raise_remove, RIG_FILL, "EAGAIN", "relock",
			       "blocked", true);
	return err ? err : case_source(c);
}
