// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The words of the reports (names.c): every index has one, and the kernel's numbers have its names.
 */
#include "counters/names.h"
#include "counters/syscalls.h"
#include "unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static void expect_all(const char *what, const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		expect_u64(what, names[i] != NULL, true);
		for (size_t k = 0; k < i; k++)
			expect_u64(names[i], strcmp(names[i], names[k]) != 0, true);
	}
}

static void every_index_has_a_word_of_its_own(void **state)
{
	expect_all("class", class_names, NR_CLASSES);
	expect_all("meaning of a class", class_meanings, NR_CLASSES);
	expect_all("kind", kind_names, NR_KINDS);
	expect_all("check", check_names, NR_CHECKS);
	expect_all("snapshot reason", snapshot_reason_names, NR_SNAPSHOT_REASONS);
	expect_all("meaning reason", meaning_reason_names, NR_MEANING_REASONS);
	expect_all("tolerated reason", tolerated_reason_names, NR_TOLERATED_REASONS);
	expect_all("cause", cause_names, NR_EAGAIN_CAUSES);
	expect_all("meaning of a cause", cause_meanings, NR_EAGAIN_CAUSES);
	expect_all("site", site_names, NR_SITES);
	expect_all("errno", fail_errno_names, NR_FAIL_ERRNOS);
	expect_all("fill ioctl", fill_names, NR_FILLS);
	expect_all("operation", changing_op_names, NR_CHANGING_OPS);
	expect_all("event", changing_event_names, NR_CHANGING_OPS);
	expect_all("kind of event", event_kind_names, NR_EVENT_KINDS);
	expect_all("lost", lost_names, NR_LOST_CAUSES);
}

static void results(void **state)
{
	static const struct {
		unsigned int index;
		const char *name;
	} rows[] = {
		{ 0, "ok" },
		{ ENOENT, "ENOENT" },
		{ ESRCH, "ESRCH" },
		{ EAGAIN, "EAGAIN" },
		{ ENOMEM, "ENOMEM" },
		{ EFAULT, "EFAULT" },
		{ EEXIST, "EEXIST" },
		{ EINVAL, "EINVAL" },
		{ ENOSPC, "ENOSPC" },
		{ EHWPOISON, "EHWPOISON" },
		{ RETURNED_OTHER, "other" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_non_null(returned_name(rows[i].index));
		expect_str("returned", returned_name(rows[i].index), rows[i].name);
	}
	assert_null(returned_name(41)); /* no errno has it */
	assert_null(returned_name(RETURNED_OTHER - 1));
}

/* Only those that raise mmap_changing are named as holders. */
static void system_calls(void **state)
{
	expect_str("madvise", syscall_name(SYS_madvise), "madvise");
	expect_str("munmap", syscall_name(SYS_munmap), "munmap");
	expect_str("shmdt", syscall_name(SYS_shmdt), "shmdt");
	assert_null(syscall_name(-1));
	assert_null(syscall_name(SYS_read));
	assert_null(syscall_name(SYS_mprotect));
	expect_str("mprotect", any_syscall_name(SYS_mprotect), "mprotect");
	expect_str("read", any_syscall_name(SYS_read), "read");
	assert_null(any_syscall_name(511));
	assert_null(any_syscall_name(1U << 31));
	for (const struct syscall_row *row = syscall_rows; row->name; row++) {
		assert_ptr_equal(syscall_row(row->nr), row);
		assert_true(row->nr < NR_WRITER_SHAPES);
	}
}

/* As madvise(2) has them, also those that this machine's headers may lack. */
static void advice(void **state)
{
	static const struct {
		int advice;
		const char *name;
	} rows[] = {
		{ 0, "MADV_NORMAL" },
		{ 4, "MADV_DONTNEED" },
		{ 8, "MADV_FREE" },
		{ 9, "MADV_REMOVE" },
		{ 24, "MADV_DONTNEED_LOCKED" },
		{ MADV_DONTFORK, "MADV_DONTFORK" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_str(rows[i].name, advice_name(rows[i].advice), rows[i].name);
	assert_null(advice_name(-1));
	assert_null(advice_name(99));
}

static void requests(void **state)
{
	expect_str("request", uffd_request_name(0xc028aa03), "UFFDIO_COPY");
	/* 7.3 and later. */
	expect_str("request", uffd_request_name(0xc018aa09), "UFFDIO_RWPROTECT");
	expect_str("request", uffd_request_name(0x4010aa0a), "UFFDIO_SET_MODE");
	assert_null(uffd_request_name(0xc028aa77));
	assert_null(uffd_request_name(0xae03));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_index_has_a_word_of_its_own),
		cmocka_unit_test(results),
		cmocka_unit_test(system_calls),
		cmocka_unit_test(advice),
		cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
