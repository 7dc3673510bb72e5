// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The self-test (selftest.c) on this machine's kernel, with a fake tracer, which counts windows
 * right or in a known wrong way. Skipped where userfaultfd is refused.
 */
#include "failing.h"
#include "trace/kernel.h"
#include "trace/selftest.h"
#include "trace/tracer.h"
#include "counters/counters.h"
#include "unit.h"
#include "userfaultfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The windows that the self-test provokes, in its order. */
static const struct window {
	enum dst_kind kind;
	enum window_class class;
} windows[] = {
	{ KIND_ANON, CLASS_QUIET },	   { KIND_SHMEM, CLASS_QUIET },
	{ KIND_ANON, CLASS_UNRELATED },	   { KIND_ANON, CLASS_LOCKED },
	{ KIND_ANON, CLASS_TOLERATED },	   { KIND_ANON, CLASS_REPLACED },
	{ KIND_ANON, CLASS_HIDDEN },	   { KIND_SHMEM, CLASS_HIDDEN },
	{ KIND_SHMEM, CLASS_FALSE_ALARM }, { KIND_SHMEM, CLASS_REAL },
	{ KIND_SHMEM, CLASS_REAL },	   { KIND_ANON, CLASS_GONE },
	{ KIND_ANON, CLASS_ABORTED },
};

/* --- A tracer that counts what it is told to -------------------------------------------------- */

static struct {
	struct totals totals;
	int readings;
	void (*count)(struct totals *t, int window); /* counts the window */
	enum phase phase;
	bool watching;
	__u64 changed, mask;
	__u64 skipped;
	int attempts;
} fake;

static void count_right(struct totals *t, int window)
{
	t->calls++;
	t->windows[windows[window].kind][windows[window].class]++;
}

void tracer_read_totals(struct tracer *t, enum totals_slot slot, struct totals *totals)
{
	assert_int_equal(slot, SLOT_SELF_TEST);
	fake.readings++;
	if (fake.readings > 1) { /* the first is before any window */
		assert_int_equal(fake.phase, PHASE_SELF_TEST);
		fake.count(&fake.totals, fake.readings - 2);
	}
	*totals = fake.totals;
}

__u64 tracer_flags_changed(const struct tracer *t)
{
	return fake.changed;
}

void tracer_set_uffd_mask(struct tracer *t, __u64 mask)
{
	fake.mask = mask;
}

void tracer_phase(struct tracer *t, enum phase phase)
{
	fake.phase = phase;
}

void tracer_watch_hooks(struct tracer *t, bool on)
{
	fake.watching = on;
}

/* Asked before each attempt, and after one that failed. */
__u64 tracer_skipped(const struct tracer *t)
{
	fake.readings = 0;
	return fake.skipped;
}

/* The kernel's calls, which fail at the test's command: failing.h. */
long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr == SYS_userfaultfd && fails("userfaultfd"))
		return -1;
	return __real_syscall(nr, a, b, c, d, e, f);
}

int __wrap_open(const char *path, int flags, mode_t mode)
{
	return fails("open") ? -1 : __real_open(path, flags, mode);
}

WRAP(void *, mmap, (void *addr, size_t len, int prot, int flags, int fd, off_t offset),
     (addr, len, prot, flags, fd, offset), MAP_FAILED)

/* Run it. Whatever the result, the tracer is off afterwards and watches no hooks. */
static struct self_test run(void (*count)(struct totals *, int), enum seq_kind seq)
{
	const struct kernel kernel = { .seq = seq };
	struct self_test result;

	memset(&fake, 0, sizeof(fake));
	fake.count = count;
	self_test(NULL, &kernel, &result);
	assert_int_equal(fake.phase, PHASE_OFF);
	assert_false(fake.watching);
	return result;
}

/* --- What it says ----------------------------------------------------------------------------- */

static void all_is_well(void **state)
{
	struct self_test r = run(count_right, SEQ_COUNT);

	assert_int_equal(r.result, SELF_TEST_PASSED);
	assert_string_equal(r.why, "");
	assert_int_equal(r.windows, COUNT(windows));
	assert_int_equal(r.inferred_check, NR_CHECKS); /* it said nothing */
	assert_true(r.took_ns > 0);
}

/* Another task was in one of the programs: the copy of one window is not counted. */
static void skips_at_first(struct totals *t, int window)
{
	if (window == 3 && !fake.skipped)
		fake.skipped++;
	else
		count_right(t, window);
}

static void skips_always(struct totals *t, int window)
{
	fake.attempts++;
	fake.skipped++;
}

static void a_program_is_skipped(void **state)
{
	struct self_test r = run(skips_at_first, SEQ_COUNT);

	assert_int_equal(fake.skipped, 1);
	assert_int_equal(r.result, SELF_TEST_PASSED);
	assert_int_equal(r.windows, COUNT(windows));
	assert_string_equal(r.why, "");
	r = run(skips_always, SEQ_COUNT);
	assert_int_equal(r.result, SELF_TEST_FAILED);
	assert_int_equal(r.windows, 1);
	assert_string_equal(r.why, "1 UFFDIO_COPY made, 0 seen");
	assert_int_equal(fake.attempts, 10);
}

/* Another process wrote in the first window, which is quiet otherwise. */
static void written_at_first(struct totals *t, int window)
{
	if (window || t->writers.other)
		return count_right(t, window);
	t->calls++;
	t->windows[KIND_ANON][CLASS_UNRELATED]++;
	t->writers.other++;
}

static void written_always(struct totals *t, int window)
{
	fake.attempts++;
	t->calls++;
	t->windows[KIND_ANON][CLASS_UNRELATED]++;
	t->writers.other++;
}

static void another_process_writes(void **state)
{
	struct self_test r = run(written_at_first, SEQ_COUNT);

	assert_int_equal(fake.totals.writers.other, 1);
	assert_int_equal(r.result, SELF_TEST_PASSED);
	assert_int_equal(r.windows, COUNT(windows));
	r = run(written_always, SEQ_COUNT);
	assert_int_equal(r.result, SELF_TEST_SKIPPED);
	assert_string_equal(r.why, "another process writes to our memory");
	assert_int_equal(fake.attempts, 10);
}

/* The first check that never differed from the kernel's answers. */
static void two_checks_differ(struct totals *t, int window)
{
	count_right(t, window);
	t->kernel_seen++;
	t->checks[CHECK_OPS_POINTER].differs = 1;
	t->checks[CHECK_SNAPSHOT].differs = 1;
}

static void three_checks_differ(struct totals *t, int window)
{
	two_checks_differ(t, window);
	t->checks[CHECK_ADDRESS].differs = 1;
}

static void every_check_differs(struct totals *t, int window)
{
	two_checks_differ(t, window);
	for (int i = 0; i < CHECK_KERNEL; i++)
		t->checks[i].differs = 1;
}

static void the_kernel_s_check(void **state)
{
	assert_int_equal(run(two_checks_differ, SEQ_COUNT).inferred_check, CHECK_ADDRESS);
	assert_int_equal(run(three_checks_differ, SEQ_COUNT).inferred_check, CHECK_PER_VMA_SEQ);
	assert_int_equal(run(every_check_differs, SEQ_COUNT).inferred_check, NR_CHECKS);
}

/* The bit of VM_UFFD_MINOR that BTF does not name: as a window shows it, if one bit changed. */
static void learns_the_minor_bit(void **state)
{
	static const struct {
		__u64 guess, changed, mask;
	} rows[] = {
		{ 1ULL << 38, 1ULL << 41, 1ULL << 9 | 1ULL << 41 },
		{ 1ULL << 38, 1ULL << 38, 1ULL << 9 | 1ULL << 38 },
		{ 1ULL << 38, 0, 0 },
		{ 1ULL << 38, 1ULL << 38 | 1ULL << 41, 0 },
		{ 0, 1ULL << 41, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct kernel kernel = {
			.seq = SEQ_COUNT,
			.uffd_mask = 1ULL << 9 | rows[i].guess,
			.minor_guess = rows[i].guess,
		};
		struct self_test result;

		memset(&fake, 0, sizeof(fake));
		fake.count = count_right;
		fake.changed = rows[i].changed;
		self_test(NULL, &kernel, &result);
		assert_int_equal(result.result, SELF_TEST_PASSED);
		assert_int_equal(result.windows, COUNT(windows));
		expect_u64("mask", fake.mask, rows[i].mask);
	}
}

static int wrong_at;

static void sees_nothing(struct totals *t, int window)
{
	if (window != wrong_at)
		count_right(t, window);
}

static void sees_no_window(struct totals *t, int window)
{
	if (window != wrong_at)
		count_right(t, window);
	else
		t->calls++;
}

static void sees_two(struct totals *t, int window)
{
	count_right(t, window);
	if (window == wrong_at)
		t->windows[KIND_ANON][CLASS_QUIET]++;
}

static void calls_it_tolerated(struct totals *t, int window)
{
	if (window != wrong_at)
		return count_right(t, window);
	t->calls++;
	t->windows[windows[window].kind][CLASS_TOLERATED]++;
}

static void contradicts_itself(struct totals *t, int window)
{
	count_right(t, window);
	t->anomalies += window == wrong_at;
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		void (*count)(struct totals *, int);
		int at;
		const char *why;
	} rows[] = {
		{ sees_nothing, 0, "1 UFFDIO_COPY made, 0 seen" },
		{ sees_nothing, 11, "1 UFFDIO_COPY made, 0 seen" },
		{ sees_no_window, 2, "1 anonymous window of class unrelated opened, 0 seen" },
		{ sees_two, 9, "1 shmem window of class real opened, 2 seen" },
		{ calls_it_tolerated, 0, "anonymous window of class quiet was called tolerated" },
		{ calls_it_tolerated, 8, "shmem window of class false_alarm was called tolerated" },
		{ contradicts_itself, 3,
		  "anonymous window of class locked: the facts contradict each other" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct self_test r;

		wrong_at = rows[i].at;
		r = run(rows[i].count, SEQ_COUNT);
		expect_u64(rows[i].why, r.result, SELF_TEST_FAILED);
		expect_u64(rows[i].why, r.windows, rows[i].at + 1);
		expect_str("why", r.why, rows[i].why);
	}
}

/* Without mm_lock_seq nothing tells what a writer locked: unrelated is right, locked wrong. */
static void locked_is_unrelated(struct totals *t, int window)
{
	if (windows[window].class != CLASS_LOCKED)
		return count_right(t, window);
	t->calls++;
	t->windows[KIND_ANON][CLASS_UNRELATED]++;
}

static void without_mm_lock_seq(void **state)
{
	assert_int_equal(run(locked_is_unrelated, SEQ_NONE).result, SELF_TEST_PASSED);
	assert_int_equal(run(locked_is_unrelated, SEQ_COUNT).result, SELF_TEST_FAILED);
	assert_string_equal(run(count_right, SEQ_NONE).why,
			    "anonymous window of class unrelated was called locked");
}

/* Each of the kernel's calls fails once: the test is skipped, with the reason. */
static void calls_that_fail(void **state)
{
	int skipped = 0;

	for (int at = 1;; at++) {
		struct self_test r;

		arm(at, ENOMEM);
		r = run(count_right, SEQ_COUNT);
		if (!failing.what) {
			assert_int_equal(r.result, SELF_TEST_PASSED);
			break;
		}
		/* The device replaces the system call. */
		if (!strcmp(failing.what, "userfaultfd") && r.result == SELF_TEST_PASSED)
			continue;
		expect_u64(failing.what, r.result, SELF_TEST_SKIPPED);
		expect_u64(r.why,
			   strstr(r.why, "Cannot allocate memory") ||
				   strstr(r.why, "not permitted"),
			   true);
		skipped++;
	}
	arm(0, 0);
	assert_true(skipped > 20);
}

static void no_userfaultfd(void **state)
{
	struct self_test r;

	arm(1, EPERM);
	failing.on = true;
	r = run(count_right, SEQ_COUNT);
	arm(0, 0);
	assert_int_equal(r.result, SELF_TEST_SKIPPED);
	assert_string_equal(r.why, "no userfaultfd for our own memory: Operation not permitted");
	assert_int_equal(r.windows, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(the_kernel_s_check),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(without_mm_lock_seq),
		cmocka_unit_test(calls_that_fail),
		cmocka_unit_test(no_userfaultfd),
		cmocka_unit_test(learns_the_minor_bit),
		cmocka_unit_test(a_program_is_skipped),
		cmocka_unit_test(another_process_writes),
	};

	return cmocka_run_group_tests_name("selftest", tests, need_userfaultfd, NULL);
}
