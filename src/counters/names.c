// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Every word of the reports, once: first those of the JSON schema, then the kernel's. */
#include "counters/names.h"
#include "syscall_names.h"

#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* One entry a line. */
/* clang-format off */

/* --- Words of the JSON schema --- */

const char *const class_names[NR_CLASSES] = {
	[CLASS_QUIET] = "quiet",
	[CLASS_UNRELATED] = "unrelated",
	[CLASS_LOCKED] = "locked",
	[CLASS_TOLERATED] = "tolerated",
	[CLASS_REPLACED] = "replaced",
	[CLASS_HIDDEN] = "hidden",
	[CLASS_FALSE_ALARM] = "false_alarm",
	[CLASS_REAL] = "real",
	[CLASS_GONE] = "gone",
	[CLASS_BLOCKED] = "blocked",
	[CLASS_ABORTED] = "aborted",
	[CLASS_UNDETERMINED] = "undetermined",
};

const char *const class_meanings[NR_CLASSES] = {
	[CLASS_QUIET] = "nobody wrote to the mm",
	[CLASS_UNRELATED] = "a writer elsewhere in the mm",
	[CLASS_LOCKED] = "VMA write-locked, unchanged",
	[CLASS_TOLERATED] = "VMA changed, harmlessly",
	[CLASS_REPLACED] = "unmapped, mapped again alike",
	[CLASS_HIDDEN] = "means another page, unnoticed",
	[CLASS_FALSE_ALARM] = "same page, snapshot differs",
	[CLASS_REAL] = "means another page, noticed",
	[CLASS_GONE] = "VMA no longer there",
	[CLASS_BLOCKED] = "EAGAIN before any check",
	[CLASS_ABORTED] = "source could not be read",
	[CLASS_UNDETERMINED] = "a fact was lost",
};

const char *const kind_names[NR_KINDS] = {
	[KIND_ANON] = "anon",
	[KIND_SHMEM] = "shmem",
	[KIND_HUGETLB] = "hugetlb",
};

const char *const check_names[NR_CHECKS] = {
	[CHECK_OPS_POINTER] = "ops_pointer",
	[CHECK_SNAPSHOT] = "snapshot",
	[CHECK_PER_VMA_SEQ] = "per_vma_seq",
	[CHECK_PER_MM_SEQ] = "per_mm_seq",
	[CHECK_KERNEL] = "kernel",
};

const char *const snapshot_reason_names[NR_SNAPSHOT_REASONS] = {
	[SNAPSHOT_DIFF_UFFD_FLAGS] = "uffd_flags",
	[SNAPSHOT_DIFF_SHARED] = "shared",
	[SNAPSHOT_DIFF_OPS] = "ops",
	[SNAPSHOT_DIFF_FILE] = "file",
	[SNAPSHOT_DIFF_INODE] = "inode",
	[SNAPSHOT_DIFF_PGOFF] = "pgoff",
};

const char *const meaning_reason_names[NR_MEANING_REASONS] = {
	[MEANING_DIFF_CTX] = "ctx",
	[MEANING_DIFF_UFFD_FLAGS] = "uffd_flags",
	[MEANING_DIFF_SHARED] = "shared",
	[MEANING_DIFF_OPS] = "ops",
	[MEANING_DIFF_INODE] = "inode",
	[MEANING_DIFF_OFFSET] = "offset",
};

const char *const tolerated_reason_names[NR_TOLERATED_REASONS] = {
	[TOLERATED_DIFF_RANGE] = "range",
	[TOLERATED_DIFF_FLAGS] = "flags",
	[TOLERATED_DIFF_PROT] = "prot",
	[TOLERATED_DIFF_POLICY] = "policy",
	[TOLERATED_DIFF_NAME] = "name",
};

const char *const lost_names[NR_LOST_CAUSES] = {
	[LOST_WINDOWS] = "windows",
	[LOST_MAP_FULL] = "map_full",
	[LOST_EVENTS] = "events",
};

const char *const cause_names[NR_EAGAIN_CAUSES] = {
	[CAUSE_ENTRY_MMAP_CHANGING] = "entry_mmap_changing",
	[CAUSE_LOCK_MMAP_CHANGING] = "lock_mmap_changing",
	[CAUSE_RELOCK_MMAP_CHANGING] = "relock_mmap_changing",
	[CAUSE_VMA_LOCK] = "vma_lock",
	[CAUSE_SNAPSHOT] = "snapshot",
	[CAUSE_PTE] = "pte",
	[CAUSE_SHORT_COPY] = "short_copy",
	[CAUSE_UNKNOWN] = "unknown",
};

const char *const cause_meanings[NR_EAGAIN_CAUSES] = {
	[CAUSE_ENTRY_MMAP_CHANGING] = "an event was unread when the call began",
	[CAUSE_LOCK_MMAP_CHANGING] = "an event was raised before the first lock",
	[CAUSE_RELOCK_MMAP_CHANGING] = "an event was raised in the retry window",
	[CAUSE_VMA_LOCK] = "the VMA's lock was refused",
	[CAUSE_SNAPSHOT] = "the VMA changed in the retry window",
	[CAUSE_PTE] = "the page table was removed",
	[CAUSE_SHORT_COPY] = "only some bytes were copied",
	[CAUSE_UNKNOWN] = "a fact was lost",
};

const char *const site_names[NR_SITES] = {
	[SITE_ENTRY] = "entry",
	[SITE_LOCK] = "lock",
	[SITE_REFUSED] = "vma_lock",
	[SITE_SOURCE] = "source",
	[SITE_RELOCK] = "relock",
	[SITE_CHECK] = "check",
	[SITE_PAGE] = "page",
	[SITE_RESULT] = "result",
	[SITE_SHORT] = "short",
	[SITE_UNKNOWN] = "unknown",
};

const char *const site_meanings[NR_SITES] = {
	[SITE_ENTRY] = "at the entry of the ioctl",
	[SITE_LOCK] = "first lock of the VMA",
	[SITE_REFUSED] = "the VMA lock was refused",
	[SITE_SOURCE] = "reading the source",
	[SITE_RELOCK] = "relock of the VMA",
	[SITE_CHECK] = "the kernel's check",
	[SITE_PAGE] = "installing the page",
	[SITE_RESULT] = "writing the result",
	[SITE_UNKNOWN] = "a fact was lost",
};

const char *const fail_errno_names[NR_FAIL_ERRNOS] = {
	[FAIL_EAGAIN] = "EAGAIN",
	[FAIL_EEXIST] = "EEXIST",
	[FAIL_ENOENT] = "ENOENT",
	[FAIL_EFAULT] = "EFAULT",
	[FAIL_ENOMEM] = "ENOMEM",
	[FAIL_EINVAL] = "EINVAL",
	[FAIL_ESRCH] = "ESRCH",
	[FAIL_ENOSPC] = "ENOSPC",
	[FAIL_EINTR] = "EINTR",
	[FAIL_UNTOLD] = "untold",
	[FAIL_OTHER] = "other",
};

const char *const fill_names[NR_FILLS] = {
	[FILL_ZEROPAGE] = "zeropage",
	[FILL_CONTINUE] = "continue",
	[FILL_POISON] = "poison",
	[FILL_MOVE] = "move",
	[FILL_WRITEPROTECT] = "writeprotect",
};

const char *const changing_op_names[NR_CHANGING_OPS] = {
	[CHANGING_FORK] = "fork",
	[CHANGING_REMAP] = "remap",
	[CHANGING_REMOVE] = "remove",
	[CHANGING_UNMAP] = "unmap",
};

const char *const changing_event_names[NR_CHANGING_OPS] = {
	[CHANGING_FORK] = "FORK",
	[CHANGING_REMAP] = "REMAP",
	[CHANGING_REMOVE] = "REMOVE",
	[CHANGING_UNMAP] = "UNMAP",
};

const char *returned_name(unsigned int index)
{
	if (index == 0)
		return "ok";
	return index == RETURNED_OTHER ? "other" : strerrorname_np((int)index);
}

const char *origin_name(__u32 origin)
{
	static const char *const names[] = {
		[WRITER_COMPAT] = "32-bit system call",
		[WRITER_FAULT] = "fault",
		[WRITER_STACK] = "stack growth",
		[WRITER_KTHREAD] = "kernel thread",
		[WRITER_IO_WORKER] = "io_uring worker",
		[WRITER_USER_WORKER] = "vhost worker",
	};

	return origin < ARRAY_SIZE(names) && names[origin] ? names[origin] : "other";
}

/* --- Words of the kernel. Numbers are its ABI: the headers of a build machine may be older. --- */

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
	{ CALL(ioctl), REQUEST,
	  SHAPE(.sub = 2, .at = 3, .at_is_range = 1, ONLY_WHEN(REQUEST_TYPE, UFFD_REQUEST)) },
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

const char *uffd_request_name(__u32 request)
{
	return (request & REQUEST_TYPE) == UFFD_REQUEST ? word_name(uffd_words, request & 0xff)
							: NULL;
}
