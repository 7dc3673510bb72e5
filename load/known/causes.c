// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload causes`: copies that fail, each for a reason known beforehand; who refuses them, and how often in a row.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known/causes.h"
#include "steps/hand.h"
#include "load.h"
#include "lib/rig.h"

#define PAGE 4096ULL
#define SOURCE_PAGES 8
#define EVENT_TIMEOUT_MS 10000
/* Refused this often before the event is read. */
#define CHAIN 5

/* Younger than the headers that this is built with. */
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
#define LOAD_UFFDIO_CONTINUE _IOWR(UFFDIO, 0x07, struct load_uffdio_poison)

struct causes {
	const struct causes_options *options;
	struct causes_truth truth;
	struct hand *hand;
	struct rig *one;   /* layout "b" */
	struct rig *third; /* layout "mmb" */
	uint8_t *source;   /* mapped pages */
	uint64_t failures;
	/* The current case. Its pages are nobody else's, ever: a chain is of an address. */
	const char *name;
	int uffd;
	uint64_t dst;
	size_t pages;
};

/* --- what was done is what was expected ----------------------------------------------------------------------- */

static void complain(struct causes *c, const char *what, long got, long expected)
{
	warnx("%s: %s is %ld, expected %ld", c->name, what, got, expected);
	c->failures++;
}

static void expect(struct causes *c, const char *what, long got, long expected)
{
	if (got != expected)
		complain(c, what, got, expected);
}

/* Copy n pages to the page at `page` of the destination, in this thread; it must end as `e` says. */
static void copy(struct causes *c, size_t page, size_t n, uint64_t src, const struct ending *e)
{
	struct uffdio_copy arg = { .dst = c->dst + page * PAGE, .src = src, .len = n * PAGE };
	int error = ioctl(c->uffd, UFFDIO_COPY, &arg) ? errno : 0;

	expect(c, "errno", error, e->err);
	if (error == 0 || e->copied)
		expect(c, "bytes", arg.copy, (long)(error ? e->copied : n * PAGE));
	causes_add(&c->truth, arg.dst, n * PAGE, e);
}

static uint64_t mapped(const struct causes *c)
{
	return (uint64_t)c->source;
}

static void copy_well(struct causes *c, size_t page, size_t n)
{
	copy(c, page, n, mapped(c), &(struct ending) { .err = 0 });
}

/* --- one case's ground ---------------------------------------------------------------------------------------- */

/* pages of anonymous memory, between two that nobody may touch, registered with a userfaultfd of these features. */
static int set_up(struct causes *c, const char *name, uint64_t features, size_t pages)
{
	uint8_t *area = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	c->name = name;
	c->pages = pages;
	if (area == MAP_FAILED)
		return -errno;
	c->dst = (uint64_t)area + PAGE;
	if (mprotect((void *)c->dst, pages * PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	c->uffd = rig_uffd_open(features);
	return c->uffd < 0 ? c->uffd : rig_register(c->uffd, c->dst, pages * PAGE, UFFDIO_REGISTER_MODE_MISSING);
}

static void tear_down(struct causes *c)
{
	close(c->uffd);
	c->uffd = -1;
}

/* --- raising mmap_changing ------------------------------------------------------------------------------------ */

static int do_remove(void *arg)
{
	struct causes *c = arg;

	return madvise((void *)(c->dst + (c->pages - 1) * PAGE), PAGE, MADV_DONTNEED) ? -errno : 0;
}

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

	return mremap(last, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED ? -errno : 0;
}

/* The hand does it, and sleeps until the event is read. */
static int raise_event(struct causes *c, hand_job job)
{
	struct pollfd fd = { .fd = c->uffd, .events = POLLIN };

	hand_do(c->hand, job, c);
	return poll(&fd, 1, EVENT_TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
}

static int read_event(struct causes *c)
{
	struct uffd_msg msg;

	if (read(c->uffd, &msg, sizeof(msg)) != sizeof(msg))
		return -EIO;
	return hand_wait(c->hand);
}

/* --- the cases ------------------------------------------------------------------------------------------------ */

static const struct ending refused_at_entry = { .err = EAGAIN, .site = "entry", .refused = true };

/* An unread event: every copy is refused until it is read, CHAIN times here. */
static int case_entry(struct causes *c, hand_job job, const char *holder)
{
	int err = raise_event(c, job), i;

	if (err)
		return err;
	causes_raised(&c->truth, holder);
	for (i = 0; i < CHAIN; i++)
		copy(c, 0, 1, mapped(c), &refused_at_entry);
	err = read_event(c);
	copy_well(c, 0, 1);
	return err;
}

static int refused_entry(struct causes *c, const char *name, uint64_t feature, hand_job job, const char *holder)
{
	int err = set_up(c, name, feature, 3);

	if (!err)
		err = case_entry(c, job, holder);
	tear_down(c);
	return err;
}

static void fill(struct causes *c, unsigned long cmd, void *arg, const char *name)
{
	int error = ioctl(c->uffd, cmd, arg) ? errno : 0;

	/* Kernels before 6.6 (POISON) and 6.8 (MOVE) do not know them. */
	if (error == EINVAL)
		causes_fill(&c->truth, name, "EINVAL");
	else
		expect(c, name, error, EAGAIN);
	if (error == EAGAIN)
		causes_fill(&c->truth, name, "mmap_changing");
}

/* The other fill ioctls under an unread event, and without one. */
static int case_fills(struct causes *c)
{
	int err = set_up(c, "fills", UFFD_FEATURE_EVENT_REMOVE, 3);
	struct uffdio_writeprotect wp = { .range = { c->dst, PAGE } };
	struct load_uffdio_move move = { .dst = c->dst, .src = mapped(c), .len = PAGE };
	struct load_uffdio_poison poison = { .range = { c->dst, PAGE } };
	struct uffdio_zeropage zero = { .range = { c->dst, PAGE } };

	if (!err)
		err = raise_event(c, do_remove);
	if (err)
		return err;
	causes_raised(&c->truth, "remove/madvise/MADV_DONTNEED");
	fill(c, UFFDIO_ZEROPAGE, &zero, "zeropage");
	fill(c, UFFDIO_WRITEPROTECT, &wp, "writeprotect");
	fill(c, LOAD_UFFDIO_MOVE, &move, "move");
	fill(c, LOAD_UFFDIO_CONTINUE, &poison, "continue");
	fill(c, LOAD_UFFDIO_POISON, &poison, "poison");
	err = read_event(c);
	expect(c, "zeropage", rig_zeropage(c->uffd, c->dst, PAGE), 0);
	causes_fill(&c->truth, "zeropage", "ok");
	expect(c, "zeropage", rig_zeropage(c->uffd, c->dst, PAGE), -EEXIST);
	causes_fill(&c->truth, "zeropage", "EEXIST");
	tear_down(c);
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
 * Between the test at entry and the first lock the kernel reads its argument: that lies in a hole of a file under
 * another userfaultfd, so the event is raised while it waits for it.
 */
static int case_lock(struct causes *c)
{
	int err = set_up(c, "lock", UFFD_FEATURE_EVENT_REMOVE, 3), file = memfd_create("argument", MFD_CLOEXEC);
	struct uffdio_copy value = { .dst = c->dst, .src = mapped(c), .len = PAGE };
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
	if (poll(&fd, 1, EVENT_TIMEOUT_MS) != 1 || read(nested, &msg, sizeof(msg)) != sizeof(msg))
		return -ETIMEDOUT;
	err = raise_event(c, do_remove);
	causes_raised(&c->truth, "remove/madvise/MADV_DONTNEED");
	if (pwrite(file, &value, sizeof(value), 0) != sizeof(value) || ioctl(nested, UFFDIO_WAKE, &range))
		return -errno;
	pthread_join(thread, NULL);
	expect(c, "errno", call.err, EAGAIN);
	causes_add(&c->truth, c->dst, PAGE, &(struct ending) { .err = EAGAIN, .site = "lock", .refused = true });
	if (!err)
		err = read_event(c);
	copy_well(c, 0, 1);
	munmap(call.arg, PAGE);
	close(nested);
	close(file);
	tear_down(c);
	return err;
}

/* A copy of the whole layout that is held in its window while `act` is done; then its source is resolved. */
static int hold(struct causes *c, struct rig *rig, int (*act)(struct causes *c), enum rig_source how,
		const struct ending *e)
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
	expect(c, "errno", result.err, e->err);
	if (e->copied)
		expect(c, "bytes", result.copied, (long)e->copied);
	causes_add(&c->truth, c->dst, rig_pages(rig) * PAGE, e);
	return rig_mend(rig);
}

static int raise_remove(struct causes *c)
{
	causes_raised(&c->truth, "remove/madvise/MADV_DONTNEED");
	return raise_event(c, do_remove);
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

/* Refused when it takes the VMA again; re-issued, it opens a window again, and succeeds. */
static int case_relock(struct causes *c)
{
	int err = set_up(c, "relock", UFFD_FEATURE_EVENT_REMOVE, 3);

	if (!err)
		err = hold(c, c->one, raise_remove, RIG_FILL,
			   &(struct ending) { .err = EAGAIN, .site = "relock", .refused = true, .window = "blocked" });
	if (!err)
		err = read_event(c);
	if (!err)
		err = hold(c, c->one, NULL, RIG_FILL, &(struct ending) { .err = 0, .window = "quiet" });
	tear_down(c);
	return err;
}

/* The kernel's check says that the VMA changed; re-issued from a mapped page, there is no window. */
static int case_snapshot(struct causes *c)
{
	int err = set_up(c, "snapshot", 0, 1);

	if (!err)
		err = hold(c, c->one, add_wp, RIG_FILL,
			   &(struct ending) { .err = EAGAIN, .site = "check", .window = "real" });
	copy_well(c, 0, 1);
	tear_down(c);
	return err;
}

/* Two of three pages go through, and the third... */
static int short_by(struct causes *c, const char *name, int (*act)(struct causes *c), enum rig_source how,
		    const char *stop, const char *site, const char *window, bool refused)
{
	const struct ending e = {
		.err = EAGAIN, .copied = 2 * PAGE, .stop = stop, .site = site, .window = window, .refused = refused
	};
	int err = set_up(c, name, UFFD_FEATURE_EVENT_REMOVE, 4);

	if (!err)
		err = hold(c, c->third, act, how, &e);
	if (!err && refused)
		err = read_event(c);
	tear_down(c);
	return err;
}

static int case_short_exists(struct causes *c)
{
	int err = set_up(c, "short by EEXIST", 0, 4);

	if (!err) {
		copy_well(c, 2, 1);
		copy(c, 0, 4, mapped(c),
		     &(struct ending) { .err = EAGAIN, .copied = 2 * PAGE, .stop = "EEXIST", .site = "page" });
	}
	tear_down(c);
	return err;
}

static int case_exists(struct causes *c)
{
	int err = set_up(c, "EEXIST", 0, 1);

	if (!err) {
		copy_well(c, 0, 1);
		copy(c, 0, 1, mapped(c), &(struct ending) { .err = EEXIST, .site = "page" });
	}
	tear_down(c);
	return err;
}

static int case_no_entry(struct causes *c)
{
	int err = set_up(c, "ENOENT", 0, 2);

	if (!err) {
		copy(c, 1, 2, mapped(c), &(struct ending) { .err = ENOENT, .site = "lock" });
		munmap((void *)c->dst, PAGE);
		copy(c, 0, 1, mapped(c), &(struct ending) { .err = ENOENT, .site = "lock" });
	}
	tear_down(c);
	return err;
}

/* The source cannot be read. */
static int case_source(struct causes *c)
{
	int err = set_up(c, "EFAULT of the source", 0, 1);

	if (!err)
		err = hold(c, c->one, NULL, RIG_UNMAP,
			   &(struct ending) { .err = EFAULT, .site = "source", .window = "aborted" });
	tear_down(c);
	return err;
}

/* The argument cannot be read; or it can, and the result cannot be written: then the page is there all the same. */
static int case_argument(struct causes *c)
{
	int err = set_up(c, "EFAULT of the argument", 0, 1);
	struct uffdio_copy *arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (err || arg == MAP_FAILED)
		return err ? err : -errno;
	*arg = (struct uffdio_copy) { .dst = c->dst, .src = mapped(c), .len = PAGE };
	expect(c, "no argument", ioctl(c->uffd, UFFDIO_COPY, NULL) ? errno : 0, EFAULT);
	causes_add(&c->truth, 0, 0, &(struct ending) { .err = EFAULT, .site = "entry", .no_address = true });
	if (mprotect(arg, PAGE, PROT_READ))
		return -errno;
	expect(c, "constant argument", ioctl(c->uffd, UFFDIO_COPY, arg) ? errno : 0, EFAULT);
	causes_add(&c->truth, c->dst, PAGE,
		   &(struct ending) { .err = EFAULT, .site = "result", .installed = PAGE });
	copy(c, 0, 1, mapped(c), &(struct ending) { .err = EEXIST, .site = "page" });
	munmap(arg, PAGE);
	tear_down(c);
	return 0;
}

static int case_invalid(struct causes *c)
{
	int err = set_up(c, "EINVAL", 0, 2);
	struct uffdio_copy arg = { .dst = c->dst, .src = mapped(c), .len = PAGE, .mode = UFFDIO_COPY_MODE_WP };

	if (err)
		return err;
	expect(c, "not registered for WP", ioctl(c->uffd, UFFDIO_COPY, &arg) ? errno : 0, EINVAL);
	causes_add(&c->truth, c->dst, PAGE, &(struct ending) { .err = EINVAL, .site = "lock" });
	arg.mode = 0;
	arg.dst = c->dst + PAGE;
	arg.len = 1;
	expect(c, "length 1", ioctl(c->uffd, UFFDIO_COPY, &arg) ? errno : 0, EINVAL);
	causes_add(&c->truth, arg.dst, 1, &(struct ending) { .err = EINVAL, .site = "entry" });
	tear_down(c);
	return 0;
}

/* A shared file's page beyond its end: what that is called is the kernel's, not ours. */
static int case_beyond_file(struct causes *c)
{
	int file = memfd_create("short", MFD_CLOEXEC), nested, err = 0;
	bool new = c->options->kernel_check == TRUTH_KERNEL_SNAPSHOT;
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
		copy(c, 1, 1, mapped(c), &(struct ending) { .err = new ? ENOMEM : EFAULT, .site = "page" });
	close(file);
	tear_down(c);
	return err;
}

/* The mm is gone, and its userfaultfd is not. */
static int case_no_mm(struct causes *c)
{
	int pipes[2], remote = -1, pidfd, err;
	char byte;
	pid_t child;

	err = set_up(c, "ESRCH", 0, 1);
	tear_down(c);
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
	/* The write end is closed in the child when its files are gone, which is after its mm. */
	if (read(pipes[0], &byte, 1) != 0 || c->uffd < 0)
		return -EIO;
	copy(c, 0, 1, mapped(c), &(struct ending) { .err = ESRCH, .site = "entry" });
	close(pidfd);
	close(pipes[0]);
	tear_down(c);
	return 0;
}

/* An mremap that fails must not leave mmap_changing raised. */
static int case_failed_remap(struct causes *c)
{
	int err = set_up(c, "failed mremap", UFFD_FEATURE_EVENT_REMAP, 3);

	if (!err && mremap((void *)c->dst, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)c->dst) != MAP_FAILED)
		err = -EIO;
	if (!err && mremap((void *)c->dst, 4 * PAGE, 1ULL << 46, MREMAP_MAYMOVE) != MAP_FAILED)
		err = -EIO;
	if (!err)
		copy_well(c, 0, 1);
	tear_down(c);
	return err;
}

/* --- all of them ---------------------------------------------------------------------------------------------- */

static int run_once(struct causes *c)
{
	int err = refused_entry(c, "REMOVE event", UFFD_FEATURE_EVENT_REMOVE, do_remove, "remove/madvise/MADV_DONTNEED");

	if (!err)
		err = refused_entry(c, "UNMAP event", UFFD_FEATURE_EVENT_UNMAP, do_unmap, "unmap/munmap/");
	if (!err)
		err = refused_entry(c, "REMAP event", UFFD_FEATURE_EVENT_REMAP, do_remap, "remap/mremap/");
	if (!err)
		err = case_fills(c);
	if (!err)
		err = case_lock(c);
	if (!err)
		err = case_relock(c);
	if (!err && c->options->kernel_check == TRUTH_KERNEL_SNAPSHOT)
		err = case_snapshot(c);
	if (!err)
		err = short_by(c, "short by EFAULT", NULL, RIG_UNMAP, "EFAULT", "source", "aborted", false);
	if (!err)
		err = short_by(c, "short by ENOENT", unmap_third, RIG_FILL, "ENOENT", "relock", "gone", false);
	if (!err)
		err = short_by(c, "short by EAGAIN", raise_remove, RIG_FILL, "EAGAIN", "relock", "blocked", true);
	if (!err)
		err = case_short_exists(c);
	if (!err)
		err = case_exists(c);
	if (!err)
		err = case_no_entry(c);
	if (!err)
		err = case_source(c);
	if (!err)
		err = case_argument(c);
	if (!err)
		err = case_invalid(c);
	if (!err)
		err = case_beyond_file(c);
	if (!err)
		err = case_no_mm(c);
	if (!err)
		err = case_failed_remap(c);
	return err;
}

static int run(struct causes *c)
{
	int err = hand_create(&c->hand);
	uint64_t i;

	if (!err)
		err = rig_create(&c->one, "b");
	if (!err)
		err = rig_create(&c->third, "mmb");
	c->source = mmap(NULL, SOURCE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
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

int causes_main(const struct causes_options *options)
{
	static struct causes c = { .uffd = -1, .name = "set-up" };
	int err;

	c.options = options;
	c.truth.untold = options->mmap_lock_only;
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
