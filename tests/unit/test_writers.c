// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Writers in words, the arguments that the BPF programs read, the order of the list (writers.c). */
#include "unit.h"
#include "counters/writers.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static void expect_text(struct writer_key key, const char *op, const char *syscall,
			const char *advice, const char *flags)
{
	struct writer_text text;

	memcpy(key.comm, "0123456789abcdef", sizeof(key.comm));
	writer_describe(&key, &text);
	expect_str("op", text.op, op);
	expect_str("syscall", text.syscall, syscall);
	expect_str("advice", text.advice, advice);
	expect_str("flags", text.flags, flags);
	/* 16 bytes without a NUL among them. */
	expect_str("comm", text.comm, "0123456789abcdef");
}

static void test_syscalls(void **state)
{
	expect_text((struct writer_key) { .nr = 9, .sub = 0x32 }, "mmap", "mmap", "",
		    "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS");
	expect_text((struct writer_key) { .nr = 11 }, "munmap", "munmap", "", "");
	expect_text((struct writer_key) { .nr = 10, .sub = 3 }, "mprotect", "mprotect", "",
		    "PROT_READ|PROT_WRITE");
	expect_text((struct writer_key) { .nr = 10 }, "mprotect", "mprotect", "", "");
	expect_text((struct writer_key) { .nr = 329, .sub = 4 }, "pkey_mprotect", "pkey_mprotect",
		    "", "PROT_EXEC");
	expect_text((struct writer_key) { .nr = 28, .sub = 10 }, "madvise", "madvise",
		    "MADV_DONTFORK", "");
	expect_text((struct writer_key) { .nr = 28, .sub = 99 }, "madvise", "madvise", "0x63", "");
	expect_text((struct writer_key) { .nr = 440, .sub = 25 }, "process_madvise",
		    "process_madvise", "MADV_COLLAPSE", "");
	expect_text((struct writer_key) { .nr = 25, .sub = 3 }, "mremap", "mremap", "",
		    "MREMAP_MAYMOVE|MREMAP_FIXED");
	expect_text((struct writer_key) { .nr = 12 }, "brk", "brk", "", "");
	expect_text((struct writer_key) { .nr = 151, .sub = 1 }, "mlockall", "mlockall", "",
		    "MCL_CURRENT");
	expect_text((struct writer_key) { .nr = 237, .sub = 2 }, "mbind", "mbind", "", "MPOL_BIND");
	expect_text((struct writer_key) { .nr = 157, .sub = 41 }, "prctl", "prctl", "",
		    "PR_SET_THP_DISABLE");
	expect_text((struct writer_key) { .nr = 462 }, "mseal", "mseal", "", "");
	expect_text((struct writer_key) { .nr = 3 }, "close", "close", "", "");
	expect_text((struct writer_key) { .nr = 511 }, "syscall_511", "syscall_511", "", "");
}

/* Bits without a name are shown as a number. */
static void test_unknown_bits(void **state)
{
	expect_text((struct writer_key) { .nr = 10, .sub = 0x80000001U }, "mprotect", "mprotect",
		    "", "PROT_READ|0x80000000");
	/* All bits at once do not fit: the text is cut. */
	struct writer_key key = { .nr = 9, .sub = ~0U };
	struct writer_text text;

	writer_describe(&key, &text);
	expect_u64("cut off", strlen(text.flags), sizeof(text.flags) - 1);
}

static void test_forks(void **state)
{
	const __u32 thread = CLONE_VM | CLONE_THREAD;

	expect_text((struct writer_key) { .nr = 57 }, "fork", "fork", "", "");
	expect_text((struct writer_key) { .nr = 56, .sub = 17 }, "fork", "clone", "", "");
	expect_text((struct writer_key) { .nr = 435, .sub = 0 }, "fork", "clone3", "", "");
	expect_text((struct writer_key) { .nr = 56, .sub = thread }, "clone", "clone", "",
		    "CLONE_VM|CLONE_THREAD");
	expect_text((struct writer_key) { .nr = 58 }, "vfork", "vfork", "", "");
}

static void test_requests(void **state)
{
	expect_text((struct writer_key) { .nr = 16, .sub = 0xc020aa00 }, "UFFDIO_REGISTER", "ioctl",
		    "", "");
	expect_text((struct writer_key) { .nr = 16, .sub = 0x8010aa01 }, "UFFDIO_UNREGISTER",
		    "ioctl", "", "");
	expect_text((struct writer_key) { .nr = 16, .sub = 0xc028aa03 }, "UFFDIO_COPY", "ioctl", "",
		    "");
	expect_text((struct writer_key) { .nr = 16, .sub = 0xc028aa77 }, "ioctl", "ioctl", "",
		    "0xc028aa77");
	expect_text((struct writer_key) { .nr = 16, .sub = 0xae80 }, "ioctl", "ioctl", "",
		    "0xae80");
}

static void test_origins(void **state)
{
	struct writer_key khugepaged = { .origin = WRITER_KTHREAD, .comm = "khugepaged" };
	struct writer_text text;

	expect_text((struct writer_key) { .origin = WRITER_COMPAT, .nr = 125 },
		    "32-bit system call", "", "", "nr 125");
	expect_text((struct writer_key) { .origin = WRITER_FAULT }, "fault", "", "", "");
	expect_text((struct writer_key) { .origin = WRITER_STACK }, "stack growth", "", "", "");
	expect_text((struct writer_key) { .origin = WRITER_KTHREAD }, "kernel thread", "", "", "");
	expect_text((struct writer_key) { .origin = WRITER_IO_WORKER }, "io_uring worker", "", "",
		    "");
	expect_text((struct writer_key) { .origin = WRITER_USER_WORKER }, "vhost worker", "", "",
		    "");
	expect_text((struct writer_key) { .origin = 99 }, "other", "", "", "");
	writer_describe(&khugepaged, &text);
	expect_str("op", text.op, "khugepaged");
	expect_str("comm", text.comm, "khugepaged");
}

static void expect_bytes(const char *what, const __u8 *bytes, __u8 first, __u8 second)
{
	expect_u64(what, bytes[0], first);
	expect_u64(what, bytes[1], second);
}

/* Is a range read where argument @shape->sub is @sub? */
static void expect_range(const char *what, const struct writer_shape *shape, __u32 sub, bool want)
{
	expect_u64(what, (sub & shape->ranged[0].mask) == shape->ranged[0].value, want);
}

/* The programs read a range only where a system call has one. */
static void test_shapes(void **state)
{
	static struct writer_shape shapes[NR_WRITER_SHAPES];

	memset(shapes, 0xff, sizeof(shapes));
	writer_shapes_fill(shapes);
	expect_bytes("read start", shapes[SYS_read].start, 0, 0);
	expect_u64("read sub", shapes[SYS_read].sub, 0);
	expect_bytes("munmap start", shapes[SYS_munmap].start, 1, 0);
	expect_bytes("munmap len", shapes[SYS_munmap].len, 2, 0);
	expect_bytes("mremap start", shapes[SYS_mremap].start, 1, 5);
	expect_bytes("mremap len", shapes[SYS_mremap].len, 2, 3);
	expect_u64("mremap's new range needs MREMAP_FIXED", shapes[SYS_mremap].ranged[1].mask, 2);
	expect_u64("mmap's address is a hint without MAP_FIXED", shapes[SYS_mmap].ranged[0].value,
		   0x10);
	expect_u64("madvise sub", shapes[SYS_madvise].sub, 3);
	expect_u64("a vector of ranges", shapes[SYS_process_madvise].at, 2);
	expect_range("UFFDIO_REGISTER", &shapes[SYS_ioctl], 0xc020aa00, true);
	expect_range("UFFDIO_UNREGISTER", &shapes[SYS_ioctl], 0x8010aa01, true);
	expect_range("UFFDIO_SET_MODE: two sets of features", &shapes[SYS_ioctl], 0x4010aa0a,
		     false);
	expect_range("another device's", &shapes[SYS_ioctl], 0xae00, false);
	expect_u64("clone3's flags", shapes[SYS_clone3].sub, WRITER_SUB_AT);
	expect_u64("a thread copies nothing", shapes[SYS_clone].everything.mask, CLONE_VM);
	expect_u64("a thread copies nothing", shapes[SYS_clone].everything.value, 0);
	expect_u64("fork", shapes[SYS_fork].whole, 1);
	expect_u64("vfork", shapes[SYS_vfork].whole, 0);
	for (int i = 0; i < NR_WRITER_SHAPES; i++) {
		for (int r = 0; r < 2; r++) {
			expect_u64("a start has a length", !shapes[i].start[r], !shapes[i].len[r]);
			expect_u64("six arguments",
				   shapes[i].start[r] <= 6 && shapes[i].len[r] <= 6, 1);
		}
		expect_u64("six arguments", shapes[i].at <= 6, 1);
		expect_u64("six arguments", shapes[i].sub <= 6 || shapes[i].sub == WRITER_SUB_AT,
			   1);
	}
}

static void test_order(void **state)
{
	static struct writer_counts counts[MAX_WRITERS];
	static struct writer_entry entries[MAX_WRITERS];
	static int ids[MAX_WRITERS];
	static const int order[] = { 4, 7, 2, 3 };

	counts[2] = counts[3] = (struct writer_counts) { 5, 6 };
	counts[4] = (struct writer_counts) { 6, 6 };
	counts[7] = (struct writer_counts) { 5, 9 };
	counts[8] = (struct writer_counts) { 99, 99 }; /* a row not read yet */
	for (int i = 0; i < 8; i++)
		entries[i].used = true; /* some of them without a count in this interval */
	expect_u64("writers", (__u64)writers_sort(counts, entries, ids), 4);
	for (int i = 0; i < 4; i++)
		expect_u64("id", (__u64)ids[i], (__u64)order[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syscalls), cmocka_unit_test(test_unknown_bits),
		cmocka_unit_test(test_forks),	 cmocka_unit_test(test_requests),
		cmocka_unit_test(test_origins),	 cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
