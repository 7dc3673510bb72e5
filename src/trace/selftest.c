// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The self-test: open one window of each class, do one thing to the destination, and compare what
 * the totals gained.
 *
 * A source page under a second userfaultfd (rig.h) holds the window open, so its class is known.
 * Only blocked is left out: it would take a thread that sleeps on an unread event.
 */
#include "trace/selftest.h"
#include "trace/kernel.h"
#include "trace/tracer.h"
#include "lib/clock.h"
#include "lib/rig.h"
#include "counters/counters.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where each attempt is disturbed, the last failure counts. */
#define ATTEMPTS 10
#define DST_PAGES 4
#define DST_PAGE 2 /* the copy's page is neither the first nor the last */

/* What the action in a window works on. */
struct scene {
	struct rig_target dst;
	__u64 page;	 /* bytes */
	__u64 addr;	 /* of the destination page */
	void *elsewhere; /* a mapping that is no destination */
	int other_uffd;
};

static void *at(__u64 addr)
{
	return (void *)(uintptr_t)addr;
}

static int reregister(const struct scene *s, int uffd)
{
	return rig_register(uffd, s->dst.start, s->dst.len, UFFDIO_REGISTER_MODE_MISSING);
}

static int nothing(const struct scene *s)
{
	(void)s;
	return 0;
}

/* mprotect() to the same protection takes mmap_lock for write and locks no VMA. */
static int write_elsewhere(const struct scene *s)
{
	return mprotect(s->elsewhere, s->page, PROT_READ | PROT_WRITE) ? -errno : 0;
}

static int unregister_register(const struct scene *s)
{
	return rig_unregister(s->dst.uffd, s->dst.start, s->dst.len) ?: reregister(s, s->dst.uffd);
}

static int protect(const struct scene *s)
{
	return mprotect(at(s->dst.start), s->dst.len, PROT_READ) ? -errno : 0;
}

/* On shmem this splits the VMA, so that the destination's VMA starts at another file offset. */
static int protect_front(const struct scene *s)
{
	return mprotect(at(s->dst.start), s->page, PROT_READ) ? -errno : 0;
}

static int map_again(const struct scene *s)
{
	void *p = mmap(at(s->dst.start), s->dst.len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return p == MAP_FAILED ? -errno : reregister(s, s->dst.uffd);
}

static int map_other_offset(const struct scene *s)
{
	void *p = mmap(at(s->dst.start), s->dst.len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		       s->dst.file, (off_t)s->page);

	return p == MAP_FAILED ? -errno : reregister(s, s->dst.uffd);
}

/* The file one page further on: the VMA's file offset stays 0. */
static int map_further_on(const struct scene *s)
{
	void *p = mmap(at(s->dst.start + s->page), s->dst.len - s->page, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, s->dst.file, 0);

	if (p == MAP_FAILED)
		return -errno;
	return rig_register(s->dst.uffd, s->dst.start + s->page, s->dst.len - s->page,
			    UFFDIO_REGISTER_MODE_MISSING);
}

static int register_other(const struct scene *s)
{
	return rig_unregister(s->dst.uffd, s->dst.start, s->dst.len)
		       ?: reregister(s, s->other_uffd);
}

static int unregister(const struct scene *s)
{
	return rig_unregister(s->dst.uffd, s->dst.start, s->dst.len);
}

/* Minor faults, too: that changes VM_UFFD_MINOR of the VMA, and nothing else. */
static int register_minor(const struct scene *s)
{
	return rig_register(s->dst.uffd, s->dst.start, s->dst.len,
			    UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR);
}

static const struct known {
	enum window_class class;
	enum rig_kind kind;
	int (*act)(const struct scene *s);
	enum rig_source source;
} known_windows[] = {
	{ CLASS_QUIET, RIG_ANON, nothing, RIG_FILL },
	{ CLASS_QUIET, RIG_SHMEM, nothing, RIG_FILL },
	{ CLASS_UNRELATED, RIG_ANON, write_elsewhere, RIG_FILL },
	{ CLASS_LOCKED, RIG_ANON, unregister_register, RIG_FILL },
	{ CLASS_TOLERATED, RIG_ANON, protect, RIG_FILL },
	{ CLASS_REPLACED, RIG_ANON, map_again, RIG_FILL },
	{ CLASS_HIDDEN, RIG_ANON, register_other, RIG_FILL },
	{ CLASS_HIDDEN, RIG_SHMEM, map_further_on, RIG_FILL },	   /* address says EAGAIN */
	{ CLASS_FALSE_ALARM, RIG_SHMEM, protect_front, RIG_FILL }, /* address says pass */
	{ CLASS_REAL, RIG_SHMEM, map_other_offset, RIG_FILL },
	{ CLASS_REAL, RIG_SHMEM, map_again, RIG_FILL }, /* anonymous memory has other uffd ops */
	{ CLASS_GONE, RIG_ANON, unregister, RIG_FILL },
	{ CLASS_ABORTED, RIG_ANON, nothing, RIG_UNMAP },
};
#define NR_KNOWN (int)(sizeof(known_windows) / sizeof(known_windows[0]))

/* Open the window, act in it, end it. Returns 0 or a negative errno, which is not the copy's. */
static int provoke(struct rig *rig, struct scene *s, const struct known *k)
{
	struct rig_copy copy = {};
	int err = rig_target_open(&s->dst, k->kind, DST_PAGES);

	if (err)
		return err;
	s->addr = s->dst.start + DST_PAGE * s->page;
	copy.uffd = s->dst.uffd;
	copy.dst = s->addr;
	err = rig_start(rig, &copy);
	if (err == 0) /* the copy ended without a window that could be held */
		err = -ENODATA;
	if (err == 1)
		err = k->act(s);
	if (!err)
		err = rig_go_on(rig, k->source);
	rig_target_close(&s->dst);
	if (!err && k->source != RIG_FILL)
		err = rig_mend(rig);
	return err;
}

/* Without per-VMA locks, nothing tells what a writer locked. */
static enum window_class expected_class(const struct known *k, const struct kernel *kernel)
{
	return k->class == CLASS_LOCKED && kernel->seq == SEQ_NONE ? CLASS_UNRELATED : k->class;
}

/* Did the totals gain this window and nothing else? If not, @why tells what they gained. */
static bool counted_right(const struct totals *then, const struct totals *now, enum rig_kind of,
			  enum window_class class, char *why, size_t size)
{
	const char *kind = of == RIG_ANON ? "anonymous" : "shmem";
	__u64 seen = windows_total(now) - windows_total(then);

	if (now->calls - then->calls != 1)
		snprintf(why, size, "1 UFFDIO_COPY made, %llu seen", now->calls - then->calls);
	else if (seen != 1)
		snprintf(why, size, "1 %s window of class %s opened, %llu seen", kind,
			 class_names[class], seen);
	else if (windows_of_class(now, class) == windows_of_class(then, class)) {
		int i = 0;

		while (windows_of_class(now, (enum window_class)i) ==
		       windows_of_class(then, (enum window_class)i))
			i++;
		snprintf(why, size, "%s window of class %s was called %s", kind, class_names[class],
			 class_names[i]);
	} else if (now->anomalies != then->anomalies) {
		snprintf(why, size, "%s window of class %s: the facts contradict each other", kind,
			 class_names[class]);
	} else {
		return true;
	}
	return false;
}

static void skip(struct self_test *r, const char *what, int err)
{
	r->result = SELF_TEST_SKIPPED;
	snprintf(r->why, sizeof(r->why), "%s: %s", what, strerror(-err));
}

/* The first check that since @then never differed from the kernel's answers, or NR_CHECKS. */
static enum check infer_check(const struct totals *then, const struct totals *now)
{
	for (int i = 0; i < CHECK_KERNEL && now->kernel_seen != then->kernel_seen; i++)
		if (now->checks[i].differs == then->checks[i].differs)
			return (enum check)i;
	return NR_CHECKS;
}

/* Which bit is VM_UFFD_MINOR, where BTF does not say? Returns 0 or a negative errno. */
static int learn_minor(struct tracer *t, const struct kernel *kernel, struct rig *rig,
		       struct scene *s)
{
	const struct known minor = { CLASS_REAL, RIG_SHMEM, register_minor, RIG_FILL };
	__u64 bit;
	int err;

	if (!kernel->minor_guess)
		return 0;
	err = provoke(rig, s, &minor);
	bit = tracer_flags_changed(t);
	if (!err && bit && !(bit & (bit - 1)))
		tracer_set_uffd_mask(t, (kernel->uffd_mask & ~kernel->minor_guess) | bit);
	return err;
}

/*
 * Did another process write in window @i, or before? From the first window on writers are recorded,
 * and that one is quiet: a section that was under way has no writer, and is another's.
 */
static bool written_by_others(const struct totals *first, const struct totals *now, int i)
{
	return now->writers.other != first->writers.other ||
	       (i == 0 && now->writers.sections != first->writers.sections);
}

/* Returns whether it failed after another process, khugepaged for one, wrote to our memory. */
static bool run_known(struct tracer *t, const struct kernel *kernel, struct rig *rig,
		      struct scene *s, struct self_test *r)
{
	struct totals first, then, now;
	int err = learn_minor(t, kernel, rig, s);

	tracer_read_totals(t, SLOT_SELF_TEST, &first);
	then = first;
	for (int i = 0; !err && i < NR_KNOWN; i++) {
		err = provoke(rig, s, &known_windows[i]);
		if (err)
			break;
		tracer_read_totals(t, SLOT_SELF_TEST, &now);
		r->windows++;
		if (!counted_right(&then, &now, known_windows[i].kind,
				   expected_class(&known_windows[i], kernel), r->why,
				   sizeof(r->why))) {
			r->result = SELF_TEST_FAILED;
			return written_by_others(&first, &now, i);
		}
		then = now;
	}
	if (err)
		skip(r, "cannot provoke a window", err);
	else
		r->inferred_check = infer_check(&first, &then);
	return false;
}

/* Until a window contradicts. */
static void expect_all(struct self_test *r)
{
	*r = (struct self_test) { .result = SELF_TEST_PASSED, .inferred_check = NR_CHECKS };
}

/*
 * run_undisturbed() - again where a failure proves nothing: a program was skipped for another
 * task's run of it, or another process wrote in a window.
 */
static void run_undisturbed(struct tracer *t, const struct kernel *kernel, struct rig *rig,
			    struct scene *s, struct self_test *r)
{
	int left = ATTEMPTS;
	bool written;
	__u64 skipped;

	do {
		skipped = tracer_skipped(t);
		expect_all(r);
		written = run_known(t, kernel, rig, s, r);
	} while (r->result == SELF_TEST_FAILED && (written || tracer_skipped(t) != skipped) &&
		 --left);
	if (!written)
		return;
	r->result = SELF_TEST_SKIPPED;
	snprintf(r->why, sizeof(r->why), "another process writes to our memory");
}

void self_test(struct tracer *t, const struct kernel *kernel, struct self_test *r)
{
	struct scene s = { .page = (__u64)sysconf(_SC_PAGESIZE), .other_uffd = -1 };
	struct rig *rig = NULL;
	__u64 begin = now_ns();
	int err;

	expect_all(r);
	s.elsewhere =
		mmap(NULL, s.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s.other_uffd = rig_uffd_open(0);
	err = s.elsewhere == MAP_FAILED ? -errno : 0;
	if (!err && s.other_uffd < 0)
		err = s.other_uffd;
	if (!err)
		err = rig_create(&rig, "b");
	if (err) {
		skip(r, "no userfaultfd for our own memory", err);
	} else {
		tracer_watch_hooks(t, true);
		tracer_phase(t, PHASE_SELF_TEST);
		run_undisturbed(t, kernel, rig, &s, r);
		tracer_phase(t, PHASE_OFF);
		tracer_watch_hooks(t, false);
	}
	rig_destroy(rig);
	if (s.other_uffd >= 0)
		close(s.other_uffd);
	if (s.elsewhere != MAP_FAILED)
		munmap(s.elsewhere, s.page);
	r->took_ns = now_ns() - begin;
}
