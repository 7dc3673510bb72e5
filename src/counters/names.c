// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Every word of the JSON schema, once: see names.h. */
#include "counters/names.h"

#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* One entry a line. */
/* clang-format off */

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
	[CLASS_UNRELATED] = "a writer, this VMA untouched",
	[CLASS_LOCKED] = "VMA write-locked, unchanged",
	[CLASS_TOLERATED] = "VMA changed, harmlessly",
	[CLASS_REPLACED] = "unmapped, mapped again alike",
	[CLASS_HIDDEN] = "other page, same snapshot",
	[CLASS_FALSE_ALARM] = "same page, other snapshot",
	[CLASS_REAL] = "other page, other snapshot",
	[CLASS_GONE] = "no registered VMA there",
	[CLASS_BLOCKED] = "refused at the relock",
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
	[CHECK_ADDRESS] = "address",
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
	[LOST_CHANGING_EVENTS] = "changing_events",
	[LOST_COPY_EVENTS] = "copy_events",
};

const char *const skipped_names[NR_SKIP_COSTS] = {
	[COSTS_WINDOW] = "windows",
	[COSTS_CALL] = "calls",
	[COSTS_PAGES] = "calls_of_pages",
	[COSTS_UNMAP] = "unmaps",
	[COSTS_CHILD] = "children",
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
	[FILL_RWPROTECT] = "rwprotect",
};

const char *const changing_op_names[NR_CHANGING_OPS] = {
	[CHANGING_FORK] = "fork",
	[CHANGING_REMAP] = "remap",
	[CHANGING_REMOVE] = "remove",
	[CHANGING_UNMAP] = "unmap",
};

const char *const event_kind_names[NR_EVENT_KINDS] = {
	[EVENT_WINDOW] = "window",
	[EVENT_FAILED_COPY] = "failed_copy",
	[EVENT_RAISED] = "raised",
	[EVENT_LOWERED] = "lowered",
};

const char *const changing_event_names[NR_CHANGING_OPS] = {
	[CHANGING_FORK] = "FORK",
	[CHANGING_REMAP] = "REMAP",
	[CHANGING_REMOVE] = "REMOVE",
	[CHANGING_UNMAP] = "UNMAP",
};
/* clang-format on */

const char *returned_name(unsigned int index)
{
	if (index == 0)
		return "ok";
	return index == RETURNED_OTHER ? "other" : strerrorname_np((int)index);
}

const char *origin_name(__u32 origin)
{
	static const char *const names[] = {
		[WRITER_COMPAT] = "32-bit system call", [WRITER_FAULT] = "fault",
		[WRITER_STACK] = "stack growth",	[WRITER_KTHREAD] = "kernel thread",
		[WRITER_IO_WORKER] = "io_uring worker", [WRITER_USER_WORKER] = "vhost worker",
	};

	return origin < ARRAY_SIZE(names) && names[origin] ? names[origin] : "other";
}
