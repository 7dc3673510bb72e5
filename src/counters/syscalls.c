// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The system calls that write to an mm, one row each: see syscalls.h. */
#include "counters/syscalls.h"
#include "syscall_names.h"

#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Numbers are the kernel's ABI: the headers of a build machine may be older. One entry a line. */
/* clang-format off */
static const struct word prot_words[] = {
	{ 1, "PROT_READ" },
	{ 2, "PROT_WRITE" },
	{ 4, "PROT_EXEC" },
	{ 0x01000000, "PROT_GROWSDOWN" },
	{ 0x02000000, "PROT_GROWSUP" },
	{ 0, NULL },
};

static const struct word map_words[] = {
	{ 0x1, "MAP_SHARED" },
	{ 0x2, "MAP_PRIVATE" },
	{ 0x10, "MAP_FIXED" },
	{ 0x20, "MAP_ANONYMOUS" },
	{ 0x40, "MAP_32BIT" },
	{ 0x100, "MAP_GROWSDOWN" },
	{ 0x2000, "MAP_LOCKED" },
	{ 0x4000, "MAP_NORESERVE" },
	{ 0x8000, "MAP_POPULATE" },
	{ 0x20000, "MAP_STACK" },
	{ 0x40000, "MAP_HUGETLB" },
	{ 0x100000, "MAP_FIXED_NOREPLACE" },
	{ 0, NULL },
};

static const struct word mremap_words[] = {
	{ 1, "MREMAP_MAYMOVE" },
	{ 2, "MREMAP_FIXED" },
	{ 4, "MREMAP_DONTUNMAP" },
	{ 0, NULL },
};

static const struct word mlock2_words[] = {
	{ 1, "MLOCK_ONFAULT" },
	{ 0, NULL },
};

static const struct word mlockall_words[] = {
	{ 1, "MCL_CURRENT" },
	{ 2, "MCL_FUTURE" },
	{ 4, "MCL_ONFAULT" },
	{ 0, NULL },
};

static const struct word clone_words[] = {
	{ 0x100, "CLONE_VM" },
	{ 0x4000, "CLONE_VFORK" },
	{ 0x10000, "CLONE_THREAD" },
	{ 0, NULL },
};

static const struct word advice_words[] = {
	{ 0, "MADV_NORMAL" },
	{ 1, "MADV_RANDOM" },
	{ 2, "MADV_SEQUENTIAL" },
	{ 3, "MADV_WILLNEED" },
	{ 4, "MADV_DONTNEED" },
	{ 8, "MADV_FREE" },
	{ 9, "MADV_REMOVE" },
	{ 10, "MADV_DONTFORK" },
	{ 11, "MADV_DOFORK" },
	{ 12, "MADV_MERGEABLE" },
	{ 13, "MADV_UNMERGEABLE" },
	{ 14, "MADV_HUGEPAGE" },
	{ 15, "MADV_NOHUGEPAGE" },
	{ 16, "MADV_DONTDUMP" },
	{ 17, "MADV_DODUMP" },
	{ 18, "MADV_WIPEONFORK" },
	{ 19, "MADV_KEEPONFORK" },
	{ 20, "MADV_COLD" },
	{ 21, "MADV_PAGEOUT" },
	{ 22, "MADV_POPULATE_READ" },
	{ 23, "MADV_POPULATE_WRITE" },
	{ 24, "MADV_DONTNEED_LOCKED" },
	{ 25, "MADV_COLLAPSE" },
	{ 100, "MADV_HWPOISON" },
	{ 101, "MADV_SOFT_OFFLINE" },
	{ 102, "MADV_GUARD_INSTALL" },
	{ 103, "MADV_GUARD_REMOVE" },
	{ 0, NULL },
};

static const struct word policy_words[] = {
	{ 0, "MPOL_DEFAULT" },
	{ 1, "MPOL_PREFERRED" },
	{ 2, "MPOL_BIND" },
	{ 3, "MPOL_INTERLEAVE" },
	{ 4, "MPOL_LOCAL" },
	{ 5, "MPOL_PREFERRED_MANY" },
	{ 6, "MPOL_WEIGHTED_INTERLEAVE" },
	{ 0, NULL },
};

#define PRCTL_SET_VMA 0x53564d41

static const struct word prctl_words[] = {
	{ 35, "PR_SET_MM" },
	{ 41, "PR_SET_THP_DISABLE" },
	{ 67, "PR_SET_MEMORY_MERGE" },
	{ PRCTL_SET_VMA, "PR_SET_VMA" },
	{ 0, NULL },
};

/* The numbers of a userfaultfd's requests, _IOC_NR(); their type, _IOC_TYPE(), is 0xaa. */
#define REQUEST_TYPE 0xff00
#define UFFD_REQUEST 0xaa00
/* Set in the number of each but UFFDIO_REGISTER and _UNREGISTER. */
#define UFFD_REST 0xfe

static const struct word uffd_words[] = {
	{ 0x00, "UFFDIO_REGISTER" },
	{ 0x01, "UFFDIO_UNREGISTER" },
	{ 0x02, "UFFDIO_WAKE" },
	{ 0x03, "UFFDIO_COPY" },
	{ 0x04, "UFFDIO_ZEROPAGE" },
	{ 0x05, "UFFDIO_MOVE" },
	{ 0x06, "UFFDIO_WRITEPROTECT" },
	{ 0x07, "UFFDIO_CONTINUE" },
	{ 0x08, "UFFDIO_POISON" },
	{ 0x09, "UFFDIO_RWPROTECT" },
	{ 0x0a, "UFFDIO_SET_MODE" },
	{ 0x3f, "UFFDIO_API" },
	{ 0, NULL },
};

/* Younger than some headers. */
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack 453
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define CALL(call) .nr = SYS_##call, .name = #call
#define RAISES .raises = true
#define FORKS .forks = true
#define BITS(list) .sub_kind = SUB_BITS, .words = list
#define VALUE(list) .sub_kind = SUB_VALUE, .words = list
#define ADVICE .sub_kind = SUB_ADVICE, .words = advice_words
#define REQUEST .sub_kind = SUB_REQUEST, .words = uffd_words
#define SHAPE(...) .shape = { __VA_ARGS__ }
#define RANGE(address, length) .start = { address }, .len = { length }
#define ONLY_WHEN(bits, wanted) .ranged = { { bits, wanted } }
#define WITHOUT_CLONE_VM .whole = 1, .everything = { .mask = CLONE_VM, .value = 0 }

const struct syscall_row syscall_rows[] = {
	/* The address is a hint without MAP_FIXED, and nothing of the destination's is touched. */
	{ CALL(mmap), RAISES, BITS(map_words), SHAPE(.sub = 4, RANGE(1, 2), ONLY_WHEN(0x10, 0x10)) },
	{ CALL(munmap), RAISES, SHAPE(RANGE(1, 2)) },
	{ CALL(mprotect), BITS(prot_words), SHAPE(.sub = 3, RANGE(1, 2)) },
	{ CALL(pkey_mprotect), BITS(prot_words), SHAPE(.sub = 3, RANGE(1, 2)) },
	{ CALL(madvise), RAISES, ADVICE, SHAPE(.sub = 3, RANGE(1, 2)) },
	/* The programs read the first range of the vector only. */
	{ CALL(process_madvise), RAISES, ADVICE, SHAPE(.sub = 4, .at = 2, .at_is_range = 1) },
	/* The second range is the new place, with MREMAP_FIXED. */
	{ CALL(mremap), RAISES, BITS(mremap_words),
	  SHAPE(.sub = 4, .start = { 1, 5 }, .len = { 2, 3 }, .ranged = { { 0, 0 }, { 2, 2 } }) },
	{ CALL(brk), RAISES },
	{ CALL(mlock), SHAPE(RANGE(1, 2)) },
	{ CALL(mlock2), BITS(mlock2_words), SHAPE(.sub = 3, RANGE(1, 2)) },
	{ CALL(munlock), SHAPE(RANGE(1, 2)) },
	/* Only MCL_CURRENT touches what is mapped already. */
	{ CALL(mlockall), BITS(mlockall_words), SHAPE(.sub = 1, .whole = 1, .everything = { 1, 1 }) },
	{ CALL(munlockall), SHAPE(.whole = 1) },
	/* A fork locks every VMA (dup_mmap()); with CLONE_VM there is nothing to copy. */
	{ CALL(clone), RAISES, FORKS, BITS(clone_words), SHAPE(.sub = 1, WITHOUT_CLONE_VM) },
	{ CALL(clone3), RAISES, FORKS, BITS(clone_words),
	  SHAPE(.sub = WRITER_SUB_AT, .at = 1, WITHOUT_CLONE_VM) },
#ifdef SYS_fork
	{ CALL(fork), RAISES, FORKS, SHAPE(.whole = 1) },
#endif
	{ CALL(mbind), VALUE(policy_words), SHAPE(.sub = 3, RANGE(1, 2)) },
	{ CALL(set_mempolicy_home_node), SHAPE(RANGE(1, 2)) },
	{ CALL(remap_file_pages), SHAPE(RANGE(1, 2)) },
	{ CALL(mseal), SHAPE(RANGE(1, 2)) },
	{ CALL(map_shadow_stack) },
	{ CALL(prctl), VALUE(prctl_words), SHAPE(.sub = 1, RANGE(3, 4), ONLY_WHEN(~0U, PRCTL_SET_VMA)) },
	/* Of those that write, UFFDIO_SET_MODE has no range. */
	{ CALL(ioctl), REQUEST,
	  SHAPE(.sub = 2, .at = 3, .at_is_range = 1, ONLY_WHEN(REQUEST_TYPE | UFFD_REST, UFFD_REQUEST)) },
	{ CALL(ptrace), VALUE(NULL), SHAPE(.sub = 1) },
	{ CALL(shmat), RAISES },
	{ CALL(shmdt), RAISES },
	{ CALL(io_uring_enter), RAISES },
	{ .name = NULL },
};
/* clang-format on */

const char *word_name(const struct word *words, __u32 value)
{
	for (; words && words->name; words++)
		if (words->value == value)
			return words->name;
	return NULL;
}

const struct syscall_row *syscall_row(__u32 nr)
{
	for (const struct syscall_row *row = syscall_rows; row->name; row++)
		if (row->nr == nr)
			return row;
	return NULL;
}

const char *any_syscall_name(__u32 nr)
{
	const struct syscall_row *row = syscall_row(nr);

	if (row)
		return row->name;
	return nr < ARRAY_SIZE(syscall_names) ? syscall_names[nr] : NULL;
}

const char *syscall_name(int nr)
{
	const struct syscall_row *row = nr < 0 ? NULL : syscall_row((__u32)nr);

	return row && row->raises ? row->name : NULL;
}

const char *advice_name(int advice)
{
	return advice < 0 ? NULL : word_name(advice_words, (__u32)advice);
}

int syscall_number(const char *name)
{
	for (const struct syscall_row *row = syscall_rows; row->name; row++)
		if (row->raises && !strcmp(row->name, name))
			return (int)row->nr;
	return -1;
}

int advice_number(const char *name)
{
	for (const struct word *word = advice_words; word->name; word++)
		if (!strcmp(word->name, name))
			return (int)word->value;
	return -1;
}

const char *uffd_request_name(__u32 request)
{
	return (request & REQUEST_TYPE) == UFFD_REQUEST ? word_name(uffd_words, request & 0xff)
							: NULL;
}
