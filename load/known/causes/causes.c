// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload causes`: copies that fail, each for a reason known beforehand.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "known/causes/causes.h"
#include "known/options.h"
#include "steps/process.h"

#define SOURCE_PAGES 8

static void complain(struct causes *c, const char *what, long got, long expected)
{
	warnx("%s: %s is %ld, expected %ld", c->name, what, got, expected);
	c->failures++;
}

void causes_expect(struct causes *c, const char *what, long got, long expected)
{
	if (got != expected)
		complain(c, what, got, expected);
}

void causes_copy(struct causes *c, size_t page, size_t n, uint64_t src, const struct ending *e)
{
	struct uffdio_copy arg = { .dst = c->dst + page * PAGE, .src = src, .len = n * PAGE };
	int error = ioctl(c->uffd, UFFDIO_COPY, &arg) ? errno : 0;

	causes_expect(c, "errno", error, e->err);
	if (error == 0 || e->copied)
		causes_expect(c, "bytes", arg.copy, (long)(error ? e->copied : n * PAGE));
	causes_add(&c->truth, arg.dst, n * PAGE, e);
}

uint64_t causes_mapped(const struct causes *c)
{
	return (uint64_t)c->source;
}

void causes_copy_well(struct causes *c, size_t page, size_t n)
{
	causes_copy(c, page, n, causes_mapped(c), &(struct ending) { .err = 0 });
}

/* --- one case's destination ------------------------------------------------------------------- */

int causes_set_up(struct causes *c, const char *name, uint64_t features, size_t pages)
{
	uint8_t *area = mmap(NULL, (pages + 2) * PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return area == MAP_FAILED ? -errno
				  : causes_set_up_at(c, area + PAGE, name, features, pages);
}

int causes_set_up_at(struct causes *c, uint8_t *dst, const char *name, uint64_t features,
		     size_t pages)
{
	c->name = name;
	c->pages = pages;
	c->dst = (uint64_t)dst;
	if (mprotect((void *)c->dst, pages * PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	c->uffd = rig_uffd_open(features);
	return c->uffd < 0
		       ? c->uffd
		       : rig_register(c->uffd, c->dst, pages * PAGE, UFFDIO_REGISTER_MODE_MISSING);
}

void causes_tear_down(struct causes *c)
{
	close(c->uffd);
	c->uffd = -1;
}

/* --- events ----------------------------------------------------------------------------------- */

int causes_remove(void *arg)
{
	struct causes *c = arg;

	return madvise((void *)(c->dst + (c->pages - 1) * PAGE), PAGE, MADV_DONTNEED) ? -errno : 0;
}

int causes_raise(struct causes *c, hand_job job)
{
	struct pollfd fd = { .fd = c->uffd, .events = POLLIN };

	hand_do(c->hand, job, c);
	return poll(&fd, 1, CAUSES_TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
}

int causes_read_event(struct causes *c)
{
	struct uffd_msg msg;

	if (read(c->uffd, &msg, sizeof(msg)) != sizeof(msg))
		return -EIO;
	return hand_wait(c->hand);
}

/* --- a copy that is held ---------------------------------------------------------------------- */

int causes_hold(struct causes *c, struct rig *rig, int (*act)(struct causes *c),
		enum rig_source how, const struct ending *e)
{
	struct rig_copy copy = { .uffd = c->uffd, .dst = c->dst };
	struct rig_result result;
	int err = rig_start(rig, &copy);

	if (err != 1)
		return err ? err : -EIO;
	err = act ? act(c) : 0;
	if (err)
		return err;
	err = rig_go_on(rig, how);
	if (err)
		return err < 0 ? err : -EIO;
	if (how == RIG_FILL)
		causes_fill(&c->truth, "zeropage", "ok"); /* that is how the rig fills its source */
	result = rig_result(rig);
	causes_expect(c, "errno", result.err, e->err);
	if (e->copied)
		causes_expect(c, "bytes", result.copied, (long)e->copied);
	causes_add(&c->truth, c->dst, rig_pages(rig) * PAGE, e);
	return rig_mend(rig);
}

/* --- the command ------------------------------------------------------------------------------ */

static int run_once(struct causes *c)
{
	int err = causes_by_event(c);

	if (!err)
		err = causes_in_window(c);
	return err ? err : causes_by_error(c);
}

static int run(struct causes *c)
{
	int err = hand_create(&c->hand);
	uint64_t i;

	if (!err)
		err = rig_create(&c->one, "b");
	if (!err)
		err = rig_create(&c->third, "mmb");
	c->source = mmap(NULL, SOURCE_PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!err && c->source == MAP_FAILED)
		err = -errno;
	if (err)
		return err;
	memset(c->source, RIG_PATTERN, SOURCE_PAGES * PAGE);
	if (c->options->wait)
		wait_for_go();
	for (i = 0; i < c->options->runs && !err; i++)
		err = run_once(c);
	return err;
}

static int causes_main(const struct load *load, const void *values)
{
	const struct causes_options *options = values;
	static struct causes c = { .uffd = -1, .name = "set-up" };
	int err;

	(void)load;
	c.options = options;
	c.truth.untold = options->locks == TRUTH_LOCKS_MMAP;
	if (!may_use_uffd())
		return EXIT_FAILURE;
	err = run(&c);
	if (err) {
		warnx("%s: %s", c.name, strerror(-err));
		_exit(EXIT_FAILURE); /* the hand may sleep until its event is read */
	}
	err = causes_print(&c.truth, c.failures);
	rig_destroy(c.one);
	rig_destroy(c.third);
	hand_destroy(c.hand);
	return err || c.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct setting settings[] = {
	RUNS(struct causes_options, 100),
	NUMBER_SETTING(struct causes_options, chain, "chain", "N", 1, 1000000,
		       "Copies that are refused before an event is read"),
	WAIT(struct causes_options),
	KERNEL_CHECK(struct causes_options),
	LOCKS(struct causes_options),
	{ 0 },
};

static const struct causes_options defaults = { .runs = 3, .chain = 5 };

const struct load causes_load = {
	.name = "causes",
	.doc = "Copies that fail, each for a reason known beforehand, and are issued again "
	       "until they succeed. The exact truth goes to stdout as one JSON object.\v"
	       "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 "
	       "usage.",
	.settings = { settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = causes_main,
};
