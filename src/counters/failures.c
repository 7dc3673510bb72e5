// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Names and sums of failures: see failures.h. */
#include "counters/failures.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

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
	[CAUSE_ENTRY_MMAP_CHANGING] = "an event was not read yet, when the call began",
	[CAUSE_LOCK_MMAP_CHANGING] = "an event was raised before the first lock",
	[CAUSE_RELOCK_MMAP_CHANGING] = "an event was raised in the retry window",
	[CAUSE_VMA_LOCK] = "the VMA's lock was refused",
	[CAUSE_SNAPSHOT] = "the VMA changed in the retry window",
	[CAUSE_PTE] = "the page table was removed",
	[CAUSE_SHORT_COPY] = "only some bytes went through",
	[CAUSE_UNKNOWN] = "a fact was lost",
};

const char *const site_names[NR_SITES] = {
	[SITE_ENTRY] = "entry",	  [SITE_LOCK] = "lock",	  [SITE_REFUSED] = "vma_lock", [SITE_SOURCE] = "source",
	[SITE_RELOCK] = "relock", [SITE_CHECK] = "check", [SITE_PAGE] = "page",	       [SITE_RESULT] = "result",
	[SITE_SHORT] = "short",	  [SITE_UNKNOWN] = "unknown",
};

const char *const fail_errno_names[NR_FAIL_ERRNOS] = {
	[FAIL_EAGAIN] = "EAGAIN", [FAIL_EEXIST] = "EEXIST", [FAIL_ENOENT] = "ENOENT", [FAIL_EFAULT] = "EFAULT",
	[FAIL_ENOMEM] = "ENOMEM", [FAIL_EINVAL] = "EINVAL", [FAIL_ESRCH] = "ESRCH",   [FAIL_ENOSPC] = "ENOSPC",
	[FAIL_EINTR] = "EINTR",	  [FAIL_UNTOLD] = "untold", [FAIL_OTHER] = "other",
};

const char *const fill_names[NR_FILLS] = {
	[FILL_ZEROPAGE] = "zeropage", [FILL_CONTINUE] = "continue",	    [FILL_POISON] = "poison",
	[FILL_MOVE] = "move",	      [FILL_WRITEPROTECT] = "writeprotect",
};

const char *const changing_op_names[NR_CHANGING_OPS] = {
	[CHANGING_FORK] = "fork",
	[CHANGING_REMAP] = "remap",
	[CHANGING_REMOVE] = "remove",
	[CHANGING_UNMAP] = "unmap",
};

enum eagain_cause cause_of_site(enum fail_site site)
{
	switch (site) {
	case SITE_ENTRY:
		return CAUSE_ENTRY_MMAP_CHANGING;
	case SITE_LOCK:
		return CAUSE_LOCK_MMAP_CHANGING;
	case SITE_RELOCK:
		return CAUSE_RELOCK_MMAP_CHANGING;
	case SITE_REFUSED:
		return CAUSE_VMA_LOCK;
	case SITE_CHECK:
		return CAUSE_SNAPSHOT;
	case SITE_PAGE:
		return CAUSE_PTE;
	case SITE_SHORT:
		return CAUSE_SHORT_COPY;
	default:
		return CAUSE_UNKNOWN;
	}
}

__u64 failures_of_cause(const struct failures *f, enum eagain_cause cause)
{
	__u64 n = 0;

	for (int site = 0; site < NR_SITES; site++)
		if (cause_of_site((enum fail_site)site) == cause)
			n += f->failed[FAIL_EAGAIN][site];
	return n;
}

static __u64 sum(const __u64 *counts, int nr)
{
	__u64 n = 0;

	for (int i = 0; i < nr; i++)
		n += counts[i];
	return n;
}

__u64 failures_of_errno(const struct failures *f, enum fail_errno fail)
{
	return sum(f->failed[fail], NR_SITES);
}

__u64 stops_of_errno(const struct failures *f, enum fail_errno fail)
{
	return sum(f->stopped[fail], NR_SITES);
}

const char *syscall_name(int number)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ SYS_madvise, "madvise" },   { SYS_process_madvise, "process_madvise" },
		{ SYS_munmap, "munmap" },     { SYS_mmap, "mmap" },
		{ SYS_mremap, "mremap" },     { SYS_brk, "brk" },
		{ SYS_shmdt, "shmdt" },	      { SYS_shmat, "shmat" },
		{ SYS_clone, "clone" },	      { SYS_clone3, "clone3" },
		{ SYS_io_uring_enter, "io_uring_enter" },
#ifdef SYS_fork
		{ SYS_fork, "fork" },
#endif
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

const char *advice_name(int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		return "DONTNEED";
	case MADV_FREE:
		return "FREE";
	case MADV_REMOVE:
		return "REMOVE";
	case 24: /* MADV_DONTNEED_LOCKED of 5.18 */
		return "DONTNEED_LOCKED";
	default:
		return NULL;
	}
}

const char *chain_cause_name(__u64 word)
{
	__u64 fail = CHAIN_FAIL(word), site = CHAIN_SITE(word);

	if (!CHAIN_LENGTH(word) || fail >= NR_FAIL_ERRNOS || site >= NR_SITES)
		return NULL;
	return fail == FAIL_EAGAIN ? cause_names[cause_of_site((enum fail_site)site)] : fail_errno_names[fail];
}
