/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Why fill ioctls fail: where in the kernel, with which errno, held up by whom, and how often in a row. The types that
 * the BPF programs and the user side share, and the pure functions over them.
 */
#ifndef FAILURE_H
#define FAILURE_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

/* Where in userfaultfd_copy() a call came to its end. With -EAGAIN each but SOURCE and RESULT is a cause of its own. */
enum fail_site {
	SITE_ENTRY,   /* the ioctl itself: mmap_changing, an argument, the mm is gone; the worker was not entered */
	SITE_LOCK,    /* the first lock of the VMA, and the tests under it */
	SITE_REFUSED, /* the VMA's read lock was refused, at first or again */
	SITE_SOURCE,  /* the source could not be read in the retry window */
	SITE_RELOCK,  /* taking the VMA again after the window, and the tests under it */
	SITE_CHECK,   /* the kernel's check after the retry */
	SITE_PAGE,    /* having, or installing, the page */
	SITE_RESULT,  /* what was done could not be told to user space */
	SITE_SHORT,   /* some bytes went through */
	SITE_UNKNOWN, /* a fact was lost */
	NR_SITES,
};

/* The errno values that matter, as indexes of counters. */
enum fail_errno {
	FAIL_EAGAIN,
	FAIL_EEXIST,
	FAIL_ENOENT,
	FAIL_EFAULT,
	FAIL_ENOMEM,
	FAIL_EINVAL,
	FAIL_ESRCH,
	FAIL_ENOSPC,
	FAIL_EINTR,   /* a fatal signal between two pages: never an ioctl's errno */
	FAIL_UNTOLD,  /* of a short copy: no function tells, see docs/development/internals.md */
	FAIL_OTHER,
	NR_FAIL_ERRNOS,
};

/* fail_errno_of() - the index of @e, a positive errno. */
static inline __attribute__((always_inline)) __u32 fail_errno_of(__u32 e)
{
	switch (e) {
	case 11:
		return FAIL_EAGAIN;
	case 17:
		return FAIL_EEXIST;
	case 2:
		return FAIL_ENOENT;
	case 14:
		return FAIL_EFAULT;
	case 12:
		return FAIL_ENOMEM;
	case 22:
		return FAIL_EINVAL;
	case 3:
		return FAIL_ESRCH;
	case 28:
		return FAIL_ENOSPC;
	case 4:
		return FAIL_EINTR;
	default:
		return FAIL_OTHER;
	}
}

/*
 * site_untried() - where a worker ended that returned -@fail before any page was tried: mfill_get_vma() and what it
 * stands for before 7.1 give ENOENT, EINVAL and EAGAIN; what comes after it, mfill_establish_pmd(), the others.
 */
static inline __attribute__((always_inline)) __u32 site_untried(__u32 fail)
{
	return fail == FAIL_EAGAIN || fail == FAIL_ENOENT || fail == FAIL_EINVAL ? SITE_LOCK : SITE_PAGE;
}

/* Does mmap_changing explain this? */
static inline __attribute__((always_inline)) int is_refusal(__u32 fail, __u32 site)
{
	return fail == FAIL_EAGAIN && (site == SITE_ENTRY || site == SITE_LOCK || site == SITE_RELOCK);
}

/* The other ioctls that fill memory. */
enum fill_ioctl {
	FILL_ZEROPAGE,
	FILL_CONTINUE,
	FILL_POISON,
	FILL_MOVE,
	FILL_WRITEPROTECT,
	NR_FILLS,
};

struct fill_totals {
	__u64 ok;
	__u64 mmap_changing; /* -EAGAIN with mmap_changing raised; not in failed[] */
	__u64 failed[NR_FAIL_ERRNOS];
};

/* One per CPU and per enum totals_slot, only ever added to. */
struct failures {
	__u64 failed[NR_FAIL_ERRNOS][NR_SITES];	   /* UFFDIO_COPY, by what user space got */
	__u64 stopped[NR_FAIL_ERRNOS][NR_SITES];   /* short copies, by what stopped them */
	__u64 short_bytes[NR_FAIL_ERRNOS];	   /* and what went through before */
	struct fill_totals fills[NR_FILLS];
	__u64 raised;	      /* mmap_changing, by traced processes */
	__u64 refused;	      /* calls that it failed, COPY and others */
	__u64 refused_unseen; /* of these: it was raised before we looked */
	__u64 refused_stuck;  /* of these: no event is pending, nobody holds it */
	__u64 holders_lost;   /* raises that could not be remembered */
	__u64 chains;	      /* begun */
	__u64 chains_ended;   /* by a success, or because the page was there already */
	__u64 chains_lost;    /* not followed for want of a place */
	__u64 chain_lost_ns;  /* of the ended ones, first failure to end */
	__u64 reissued;	      /* copies of a page that has a chain */
	__u64 reopened;	      /* retry windows of these */
	__u64 retried;	      /* of these copies: those that no pending event refused before they began */
	__u64 succeeded;      /* of those: the page is there, and no window was opened */
};

/* What raises mmap_changing: dup_userfaultfd(), mremap_userfaultfd_prep(), userfaultfd_remove(), userfaultfd_unmap_prep() */
enum changing_op {
	CHANGING_FORK,
	CHANGING_REMAP,
	CHANGING_REMOVE,
	CHANGING_UNMAP,
	NR_CHANGING_OPS,
};

/* Who raised it. */
struct holder {
	__u32 op; /* enum changing_op */
	__u32 tgid;
	__s32 syscall; /* the number, -1: unknown */
	__s32 advice;  /* of madvise() and process_madvise(), else -1 */
	char comm[16];
};
_Static_assert(sizeof(struct holder) == 32, "struct holder has padding");

struct holder_totals {
	__u64 raised;
	__u64 held_ns; /* of those that are over */
	__u64 longest_ns;
	__u64 refused;
	__u32 tid; /* of the last one */
	__u32 traced; /* it or its mm is a target */
};

#define MAX_HOLDERS 512

/* The longest chain so far, in one word that can be exchanged atomically: its length, and its last failure. */
#define CHAIN_WORD(length, fail, site) ((__u64)(length) << 16 | (__u64)(fail) << 8 | (site))
#define CHAIN_LENGTH(word) ((word) >> 16)
#define CHAIN_FAIL(word) ((word) >> 8 & 0xff)
#define CHAIN_SITE(word) ((word) & 0xff)

#endif /* FAILURE_H */
