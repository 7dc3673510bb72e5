// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The questions to a kernel's BTF (kernel.c). test_hook_table.c asks the same kernels for their plans.
 */
#include "canned_btf.h"

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

	assert_int_equal(layout.size, 40);
	assert_int_equal(layout.first, 8);
	assert_int_equal(layout.vma_start, 24);
	assert_int_equal(layout.vma_end, 32);
	assert_int_equal(layout_of(members + 1, 4).first, 0);
	/* Another struct than we know. */
	assert_int_equal(layout_of(members, 4).size, 0);
}

static void functions_and_tracepoints(void **state)
{
	struct kernel k = open_kernel(canned_btf(canned_kernel("7.3"), ""));

	assert_true(kernel_has_function(&k, "unmap_vmas", 0));
	assert_true(kernel_has_function(&k, "mfill_atomic_copy", 5));
	assert_false(kernel_has_function(&k, "mfill_atomic_copy", 6));
	assert_true(kernel_function_id(&k, "unmap_vmas") > 0);
	assert_false(kernel_has_function(&k, "mcopy_atomic", 0));
	assert_true(kernel_function_id(&k, "mcopy_atomic") < 0);
	assert_true(kernel_has_tracepoint(&k, "mmap_lock_acquire_returned", 0));
	assert_true(kernel_has_tracepoint(&k, "mmap_lock_acquire_returned", 3));
	assert_false(kernel_has_tracepoint(&k, "mmap_lock_acquire_returned", 4));
	assert_false(kernel_has_tracepoint(&k, "unmap_vmas", 0));
	kernel_close(&k);
}

/* A kernel without the configuration that gives the facts. */
static void a_bare_kernel(void **state)
{
	static const struct canned_kernel bare = { "bare", CANNED_6_12, 0, "int", {}, false };
	struct kernel k = open_kernel(canned_btf(&bare, ""));

	assert_int_equal(k.seq, SEQ_INT);
	assert_true(is_unmeasured(&k, "odd_start"));
	assert_true(is_unmeasured(&k, "writers (no mmap_lock tracepoints)"));
	assert_true(is_unmeasured(&k, "anonymous VMA names"));
	assert_false(is_unmeasured(&k, "mm_lock_seq"));
	kernel_close(&k);

	k = open_kernel(btf__new_empty());
	assert_int_equal(k.seq, SEQ_NONE);
	assert_true(is_unmeasured(&k, "memory policies"));
	assert_true(is_unmeasured(&k, "-p by the owner"));
	kernel_close(&k);
}

/* Added behind the others; dropped when there is no room. */
static void what_the_user_leaves_out(void **state)
{
	struct kernel k = open_kernel(canned_btf(canned_kernel("7.3"), ""));

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

	running_btf = NULL;
	assert_int_equal(kernel_open(&k), -ENOENT);
	kernel_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_unmap_vmas_takes),
		cmocka_unit_test(functions_and_tracepoints),
		cmocka_unit_test(a_bare_kernel),
		cmocka_unit_test(what_the_user_leaves_out),
		cmocka_unit_test(no_btf),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
