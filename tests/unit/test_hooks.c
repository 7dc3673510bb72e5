// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Which plan a kernel gets, and what it cannot measure, from BTF (plan.c).
 *
 * usage: test_hooks [SERIES BTF_FILE]...   With these the same is asked of the kernels themselves (tests/btf/plan.t).
 */
#include "canned_btf.h"
#include "trace/hooks.h"

#include <errno.h>

/* The running kernel's BTF, for kernel_open(). */
static struct btf *running;

struct btf *btf__parse(const char *path, struct btf_ext **ext)
{
	struct btf *btf = running;

	(void)path;
	(void)ext;
	running = NULL;
	if (!btf)
		errno = ENOENT;
	return btf;
}

static struct kernel open_kernel(struct btf *btf)
{
	struct kernel k;

	running = btf;
	assert_int_equal(kernel_open(&k), 0);
	return k;
}

static bool unmeasured(const struct kernel *k, const char *begin)
{
	for (int i = 0; k->unmeasured[i]; i++)
		if (!strncmp(k->unmeasured[i], begin, strlen(begin)))
			return true;
	return false;
}

/* What is known of each series, by its source. */
static const struct expected {
	const char *series;
	const char *plan;
	bool exact, has_check;
	enum seq_kind seq;
	__u64 uffd_mask;
	const char *interval_lacks; /* that plan_missing() names */
} series[] = {
	{ "6.1", "legacy", true, false, SEQ_NONE, 1ULL << 9 | 1ULL << 12 | 1ULL << 37,
	  "mfill_atomic_copy, uffd_lock_vma, mfill_atomic_copy" },
	{ "6.12", "interval", false, false, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 38, "" },
	{ "6.18", "interval", false, false, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 41, "" },
	{ "7.1", "retry_state", true, true, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 41, "" },
	{ "7.3", "retry_state", true, true, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 41 | 1ULL << 43, "" },
};

static const struct expected *expected_of(const char *name)
{
	for (size_t i = 0; i < COUNT(series); i++)
		if (!strcmp(series[i].series, name))
			return &series[i];
	return NULL;
}

static void check_kernel(const struct expected *e, struct btf *btf)
{
	struct kernel k = open_kernel(btf);
	const struct plan *p = plan_next(&k, NULL);
	char missing[256];

	expect_str(e->series, p ? p->name : "none", e->plan);
	expect_u64(e->series, p->exact, e->exact);
	expect_u64(e->series, k.has_check, e->has_check);
	expect_u64(e->series, k.seq, e->seq);
	expect_u64(e->series, k.uffd_mask, e->uffd_mask);
	expect_u64(e->series, plan_possible(&k, plan_by_name("retry_fn")), false); /* inlined in all of them */
	plan_missing(&k, plan_by_name("interval"), missing, sizeof(missing));
	expect_str(e->series, missing, e->interval_lacks);
	expect_u64(e->series, unmeasured(&k, "mm_lock_seq"), e->seq == SEQ_NONE);
	expect_u64(e->series, unmeasured(&k, "odd_start"), e->seq != SEQ_COUNT);
	expect_u64(e->series, unmeasured(&k, "writers"), false);
	expect_u64(e->series, unmeasured(&k, "memory policies"), false);
	expect_u64(e->series, unmeasured(&k, "-p by the owner"), false);
	expect_u64(e->series, unmeasured(&k, "which errno"), !strcmp(e->series, "6.1"));
	kernel_close(&k);
}

/* Members of struct unmap_desc: their names, 8 bytes each. */
static struct unmap_desc_layout layout_of(const char *const *members, int nr)
{
	struct btf *btf = canned_btf(canned_kernel("7.3"), "");
	struct unmap_desc_layout layout;
	struct kernel k;

	btf__add_struct(btf, "unmap_desc", (__u32)nr * 8);
	for (int i = 0; i < nr; i++)
		btf__add_field(btf, members[i], 1, (__u32)i * 64, 0);
	k = open_kernel(btf);
	layout = k.unmap_desc;
	kernel_close(&k);
	return layout;
}

static void what_unmap_vmas_takes(void **state)
{
	static const char *const members[] = { "mas", "first", "pg_start", "vma_start", "vma_end" };
	struct unmap_desc_layout layout = layout_of(members, 5);

	(void)state;
	assert_int_equal(layout.size, 40);
	assert_int_equal(layout.first, 8);
	assert_int_equal(layout.vma_start, 24);
	assert_int_equal(layout.vma_end, 32);
	assert_int_equal(layout_of(members + 1, 4).first, 0);
	/* Another struct than we know. */
	assert_int_equal(layout_of(members, 4).size, 0);
}

static void each_series(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(series); i++)
		check_kernel(&series[i], canned_btf(canned_kernel(series[i].series), ""));
}

static int nr_files;
static char **files;

static void each_kernel(void **state)
{
	(void)state;
	for (int i = 0; i + 1 < nr_files; i += 2) {
		struct btf *btf = btf__parse_raw(files[i + 1]);

		assert_non_null(btf);
		assert_non_null(expected_of(files[i]));
		check_kernel(expected_of(files[i]), btf);
	}
}

static const struct plan *plan_without(const char *name, const char *less, const struct plan *from)
{
	struct kernel k = open_kernel(canned_btf(canned_kernel(name), less));
	const struct plan *p = plan_next(&k, from);

	kernel_close(&k);
	return p;
}

/* What 7.3 falls back to, and that 6.12 and 6.1 have nothing to fall back to. */
static void the_next_plan(void **state)
{
	(void)state;
	assert_string_equal(plan_without("7.3", "", plan_by_name("retry_state"))->name, "retry_state");
	assert_string_equal(plan_without("7.3", "mfill_retry_state_changed ", NULL)->name, "interval");
	assert_null(plan_without("7.3", "userfaultfd_ioctl ", NULL));
	assert_null(plan_without("6.12", "uffd_lock_vma ", NULL));
	assert_null(plan_without("6.1", "mcopy_atomic ", NULL));
	assert_null(plan_without("6.12", "", plan_by_name("legacy")));
	assert_null(plan_by_name("nosuch"));
}

/* The first hook of @p, in any plan, on @target that has this many arguments (0: any). */
static const struct hook *find_hook(const struct plan *p, const char *target, int args)
{
	for (const struct hook *const *h = p->hooks; *h; h++)
		if (!strcmp((*h)->target, target) && (!args || (*h)->args == args))
			return *h;
	return NULL;
}

/* Of two forms of a tracepoint a kernel has one; of two functions the better one serves. */
static void one_hook_stands_in_for_another(void **state)
{
	const struct plan *p = plan_by_name("retry_state");
	const struct hook *three = find_hook(p, "mmap_lock_acquire_returned", 3);
	const struct hook *four = find_hook(p, "mmap_lock_acquire_returned", 4);
	const struct hook *lock = find_hook(plan_by_name("retry_state"), "uffd_lock_vma", 0);
	struct kernel k = open_kernel(canned_btf(canned_kernel("7.3"), ""));

	(void)state;
	assert_true(hook_in_btf(&k, three));
	assert_false(hook_replaced(&k, three));
	assert_false(hook_in_btf(&k, four));
	assert_true(hook_replaced(&k, four));
	assert_non_null(lock);
	assert_string_equal(lock->unless, "uffd_mfill_lock");
	assert_false(hook_in_btf(&k, lock));
	assert_true(hook_replaced(&k, lock));
	assert_true(hook_btf_id(&k, find_hook(p, "unmap_vmas", 0)) > 0);
	kernel_close(&k);

	k = open_kernel(canned_btf(canned_kernel("6.12"), ""));
	assert_true(hook_in_btf(&k, four));
	assert_false(hook_in_btf(&k, three));
	assert_true(hook_in_btf(&k, lock));
	assert_false(
		hook_replaced(&k, find_hook(p, "mfill_retry_state_changed", 0))); /* missing, and nothing instead */
	assert_true(hook_btf_id(&k, find_hook(p, "mfill_retry_state_changed", 0)) < 0);
	kernel_close(&k);
}

/* A kernel without the options that the facts hang on. */
static void a_bare_kernel(void **state)
{
	static const struct canned_kernel bare = { "bare", CANNED_6_12, 0, "int", {}, false };
	struct kernel k = open_kernel(canned_btf(&bare, ""));

	(void)state;
	assert_int_equal(k.seq, SEQ_INT);
	assert_true(unmeasured(&k, "odd_start"));
	assert_true(unmeasured(&k, "writers (no mmap_lock tracepoints)"));
	assert_true(unmeasured(&k, "anonymous VMA names"));
	assert_false(unmeasured(&k, "mm_lock_seq"));
	kernel_close(&k);

	k = open_kernel(btf__new_empty());
	assert_int_equal(k.seq, SEQ_NONE);
	assert_true(unmeasured(&k, "memory policies"));
	assert_true(unmeasured(&k, "-p by the owner"));
	assert_null(plan_next(&k, NULL));
	kernel_close(&k);
}

/* Noted behind the others; where there is no room, not at all. */
static void what_the_user_leaves_out(void **state)
{
	struct kernel k = open_kernel(canned_btf(canned_kernel("7.3"), ""));

	(void)state;
	assert_null(k.unmeasured[0]);
	for (int i = 0; i < MAX_UNMEASURED + 3; i++)
		note_unmeasured(&k, "this");
	for (int i = 0; i < MAX_UNMEASURED; i++)
		assert_string_equal(k.unmeasured[i], "this");
	assert_null(k.unmeasured[MAX_UNMEASURED]);
	kernel_close(&k);
}

static void no_btf(void **state)
{
	struct kernel k;

	(void)state;
	running = NULL;
	assert_int_equal(kernel_open(&k), -ENOENT);
	kernel_close(&k);
}

/* What does not fit is left out, and nothing is written behind the text. */
static void a_long_list(void **state)
{
	struct kernel k = open_kernel(btf__new_empty());
	char text[32];

	(void)state;
	memset(text, '#', sizeof(text));
	plan_missing(&k, plan_by_name("retry_state"), text, sizeof(text) - 1);
	assert_int_equal(text[sizeof(text) - 1], '#');
	assert_int_equal(strlen(text), sizeof(text) - 2);
	kernel_close(&k);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest kernels[] = { cmocka_unit_test(each_kernel) };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_series),
		cmocka_unit_test(what_unmap_vmas_takes),
		cmocka_unit_test(the_next_plan),
		cmocka_unit_test(one_hook_stands_in_for_another),
		cmocka_unit_test(a_bare_kernel),
		cmocka_unit_test(what_the_user_leaves_out),
		cmocka_unit_test(no_btf),
		cmocka_unit_test(a_long_list),
	};

	nr_files = argc - 1;
	files = argv + 1;
	return nr_files ? cmocka_run_group_tests_name("kernels", kernels, NULL, NULL)
			: cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
