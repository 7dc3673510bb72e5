// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Which plan a kernel gets from its BTF, and what it cannot measure (hook_table.c, kernel.c).
 *
 * usage: test_hook_table [SERIES BTF_FILE]...   With arguments it asks the kernels themselves
 * (tests/btf/plan.t).
 */
#include "canned_btf.h"
#include "counters/run.h"
#include "trace/hook_table.h"

/* What each series is, by its source. */
static const struct expected {
	const char *series;
	const char *plan;
	bool exact, has_check;
	enum seq_kind seq;
	__u64 uffd_mask;
	const char *interval_lacks; /* that plan_missing() names */
} series[] = {
	{ "6.1", "legacy", true, false, SEQ_NONE, 1ULL << 9 | 1ULL << 12 | 1ULL << 37,
	  "mfill_atomic_copy, uffd_lock_vma" },
	{ "6.8", "mmap_lock", true, false, SEQ_INT, 1ULL << 9 | 1ULL << 12 | 1ULL << 38,
	  "uffd_lock_vma" },
	{ "6.12", "interval", false, false, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 38, "" },
	{ "6.18", "interval", false, false, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 41, "" },
	{ "7.1", "retry_state", true, true, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 41, "" },
	{ "7.3", "retry_state", true, true, SEQ_COUNT,
	  1ULL << 9 | 1ULL << 12 | 1ULL << 41 | 1ULL << 43, "" },
	{ "arm64-6.12", "interval", false, false, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 38,
	  "" },
	{ "arm64-7.1", "retry_state", true, true, SEQ_COUNT, 1ULL << 9 | 1ULL << 12 | 1ULL << 41,
	  "" },
	{ "arm64-7.3", "retry_state", true, true, SEQ_COUNT,
	  1ULL << 9 | 1ULL << 12 | 1ULL << 41 | 1ULL << 43, "" },
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
	const struct plan *p = plan_next(&k, plans);
	char missing[256];

	expect_str(e->series, p ? p->name : "none", e->plan);
	expect_u64(e->series, p->exact, e->exact);
	expect_u64(e->series, k.has_check, e->has_check);
	expect_u64(e->series, k.seq, e->seq);
	expect_u64(e->series, k.uffd_mask, e->uffd_mask);
	/* MINOR, where BTF has no name for it. */
	expect_u64(e->series, k.minor_guess,
		   e->has_check ? 0 : e->uffd_mask & ~(1ULL << 9 | 1ULL << 12));
	expect_u64(e->series, plan_possible(&k, plan_by_name("retry_fn")),
		   false); /* inlined in all of them */
	plan_missing(&k, plan_by_name("interval"), missing, sizeof(missing));
	expect_str(e->series, missing, e->interval_lacks);
	expect_u64(e->series, is_unmeasured(&k, "mm_lock_seq"), e->seq == SEQ_NONE);
	expect_u64(e->series, is_unmeasured(&k, "odd_start"), e->seq != SEQ_COUNT);
	expect_u64(e->series, is_unmeasured(&k, "writers"), false);
	expect_u64(e->series, is_unmeasured(&k, "memory policies"), false);
	expect_u64(e->series, is_unmeasured(&k, "-p by the owner"), false);
	expect_u64(e->series, is_unmeasured(&k, "which errno"), !strcmp(e->series, "6.1"));
	expect_u64(e->series, is_unmeasured(&k, "how early"), !strcmp(e->series, "arm64-6.12"));
	kernel_close(&k);
}

static void each_series(void **state)
{
	for (size_t i = 0; i < COUNT(series); i++)
		check_kernel(&series[i], canned_btf(canned_kernel(series[i].series), ""));
}

static int nr_files;
static char **files;

static void each_kernel(void **state)
{
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

/* 7.3 falls back to interval; 6.12 and 6.1 have no second plan. */
static void the_next_plan(void **state)
{
	assert_string_equal(plan_without("7.3", "", plan_by_name("retry_state"))->name,
			    "retry_state");
	assert_string_equal(plan_without("7.3", "mfill_retry_state_changed ", plans)->name,
			    "interval");
	assert_null(plan_without("7.3", "userfaultfd_ioctl ", plans));
	assert_null(plan_without("6.12", "uffd_lock_vma ", plans));
	assert_null(plan_without("6.8", "mm_alloc_pmd ", plans));
	assert_null(plan_without("6.1", "mcopy_atomic ", plans));
	/* Its mfill_atomic_copy() takes other arguments than plan mmap_lock expects. */
	assert_null(plan_without("6.12", "", plan_by_name("mmap_lock")));
	assert_null(plan_by_name("nosuch"));
}

/* Without a plan: which comes nearest, and what each of its functions that lack is called. */
static void the_nearest_plan(void **state)
{
	static const struct {
		const char *series, *less, *plan, *lacks;
		unsigned int nr;
	} rows[] = {
		{ "7.3", "userfaultfd_ioctl ", "retry_state", "userfaultfd_ioctl", 1 },
		{ "7.3", "unmap_vmas userfaultfd_ioctl ", "retry_state",
		  "unmap_vmas, userfaultfd_ioctl", 2 },
		{ "6.12", "uffd_lock_vma ", "interval", "uffd_lock_vma", 1 },
		{ "6.12", "uffd_lock_vma unmap_vmas ", "interval", "uffd_lock_vma, unmap_vmas", 2 },
		{ "6.8", "mfill_atomic_copy fixup_exception ", "mmap_lock",
		  "mfill_atomic_copy with 6 arguments, fixup_exception", 2 },
		/* So does legacy; mmap_lock tells more. */
		{ "6.1", "mcopy_atomic ", "mmap_lock", "mfill_atomic_copy with 6 arguments", 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct kernel k =
			open_kernel(canned_btf(canned_kernel(rows[i].series), rows[i].less));
		const struct plan *p = plan_nearest(&k);
		char missing[256];

		expect_str(rows[i].less, p->name, rows[i].plan);
		expect_u64(rows[i].less, plan_missing(&k, p, missing, sizeof(missing)), rows[i].nr);
		expect_str(rows[i].less, missing, rows[i].lacks);
		kernel_close(&k);
	}
}

/* The first hook of @p on @target with this many arguments (0: any). */
static const struct hook *find_hook(const struct plan *p, const char *target, int args)
{
	for (const struct hook *h = hook_table; h->target; h++)
		if (plan_has(p, h) && !strcmp(h->target, target) && (!args || h->args == args))
			return h;
	return NULL;
}

/* Which function tells of a fault in kernel mode: each processor has its own, with the address. */
static void the_fault_hook_is_the_processors(void **state)
{
	struct kernel k = open_kernel(canned_btf(canned_kernel("arm64-6.12"), ""));
	const struct plan *p = plan_by_name("interval");
	char missing[256];

	assert_true(hook_in_btf(&k, find_hook(p, "__do_kernel_fault", 0)));
	assert_false(hook_in_btf(&k, find_hook(p, "fixup_exception", 0)));
	kernel_close(&k);
	k = open_kernel(canned_btf(canned_kernel("6.12"), ""));
	assert_false(hook_in_btf(&k, find_hook(p, "__do_kernel_fault", 0)));
	assert_true(hook_in_btf(&k, find_hook(p, "fixup_exception", 0)));
	kernel_close(&k);

	k = open_kernel(canned_btf(canned_kernel("arm64-6.1"), ""));
	assert_null(plan_next(&k, plans));
	plan_missing(&k, plan_by_name("legacy"), missing, sizeof(missing));
	assert_string_equal(missing, "fixup_exception");
	kernel_close(&k);
}

/* A kernel has one of two forms of a tracepoint, and of two functions the better one is used. */
static void one_hook_stands_in_for_another(void **state)
{
	const struct plan *p = plan_by_name("retry_state");
	const struct hook *three = find_hook(p, "mmap_lock_acquire_returned", 3);
	const struct hook *four = find_hook(p, "mmap_lock_acquire_returned", 4);
	const struct hook *lock = find_hook(p, "uffd_lock_vma", 0);
	struct kernel k = open_kernel(canned_btf(canned_kernel("7.3"), ""));

	assert_true(hook_in_btf(&k, three));
	assert_false(hook_replaced(&k, three));
	assert_false(hook_in_btf(&k, four));
	assert_true(hook_replaced(&k, four));
	assert_non_null(lock);
	assert_string_equal(lock->unless, "uffd_mfill_lock");
	assert_false(hook_in_btf(&k, lock));
	assert_true(hook_replaced(&k, lock));
	kernel_close(&k);

	k = open_kernel(canned_btf(canned_kernel("6.12"), ""));
	assert_true(hook_in_btf(&k, four));
	assert_false(hook_in_btf(&k, three));
	assert_true(hook_in_btf(&k, lock));
	assert_false(hook_replaced(&k, find_hook(p, "mfill_retry_state_changed",
						 0))); /* nothing serves instead */
	kernel_close(&k);
}

/* How many begins of @p, on @target, are attached: probes where @k has them, else trampolines. */
static int nr_begins(const struct kernel *k, const struct plan *p, const char *target)
{
	int nr = 0;

	for (const struct hook *h = hook_table; h->target; h++) {
		if (!plan_has(p, h) || strcmp(h->target, target) ||
		    strcmp(h->why, "a window begins"))
			continue;
		nr += hook_in_btf(k, h);
		expect_u64(h->program, hook_in_btf(k, h), hook_is_probe(h) == k->has_probes);
		expect_u64(h->program, hook_replaced(k, h), !hook_in_btf(k, h));
	}
	return nr;
}

/* What a probe sees, a trampoline sees where the kernel has no probes: never both, never none. */
static void probes_or_trampolines(void **state)
{
	static const char *const less[] = { "", "kprobe_multi_link_handler ", "bpf_rdonly_cast " };
	static const struct canned_kernel retry_fn = {
		"7.3, clang", CANNED_X86 CANNED_7_1 "mfill_copy_folio_retry", 3, "seqcount", {},
		true
	};

	for (size_t i = 0; i < COUNT(less); i++) {
		struct kernel k = open_kernel(canned_btf(canned_kernel("7.3"), less[i]));
		const struct plan *p = plan_next(&k, plans);

		expect_str(less[i], p->name, "retry_state");
		expect_u64(less[i], k.has_probes, i == 0);
		expect_u64(less[i], k.has_cast, i < 2);
		expect_u64(less[i], nr_begins(&k, p, "mfill_retry_state_save"), 1);
		kernel_close(&k);

		k = open_kernel(canned_btf(&retry_fn, less[i]));
		p = plan_next(&k, plans);
		expect_str(less[i], p->name, "retry_fn");
		expect_u64(less[i], nr_begins(&k, p, "mfill_copy_folio_retry"), 1);
		kernel_close(&k);
	}
}

/* Each plan fits in MAX_HOOKS and sees hugetlb destinations; no program is there twice. */
static void the_table(void **state)
{
	for (const struct plan *p = plans; p->name; p++) {
		int nr = 0, hugetlb = 0;

		for (const struct hook *h = hook_table; h->target; h++) {
			nr += plan_has(p, h) || h->plans & BESIDE_PLANS;
			hugetlb += plan_has(p, h) && h->roles & ROLE_HUGETLB;
		}
		expect_u64(p->name, nr <= MAX_HOOKS, true);
		expect_u64(p->name, hugetlb, 1);
		assert_ptr_equal(plan_by_name(p->name), p);
	}
	for (const struct hook *h = hook_table; h->target; h++)
		for (const struct hook *other = hook_table; other < h; other++)
			expect_u64(h->program, strcmp(h->program, other->program) != 0, true);
}

/* The list is cut where it does not fit, and nothing is written behind it. */
static void a_long_list(void **state)
{
	struct kernel k = open_kernel(btf__new_empty());
	char text[32];

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
		cmocka_unit_test(the_next_plan),
		cmocka_unit_test(the_nearest_plan),
		cmocka_unit_test(the_fault_hook_is_the_processors),
		cmocka_unit_test(one_hook_stands_in_for_another),
		cmocka_unit_test(probes_or_trampolines),
		cmocka_unit_test(the_table),
		cmocka_unit_test(a_long_list),
	};

	nr_files = argc - 1;
	files = argv + 1;
	return nr_files ? cmocka_run_group_tests_name("kernels", kernels, NULL, NULL)
			: cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
