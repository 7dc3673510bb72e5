/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What struct failures says: causes, refusals and chains, by the names of the JSON schema. */
#ifndef FAILURES_H
#define FAILURES_H

#include "failure.h"

/* The causes of -EAGAIN, in the order of the schema. */
enum eagain_cause {
	CAUSE_ENTRY_MMAP_CHANGING,
	CAUSE_LOCK_MMAP_CHANGING,
	CAUSE_RELOCK_MMAP_CHANGING,
	CAUSE_VMA_LOCK,
	CAUSE_SNAPSHOT,
	CAUSE_PTE,
	CAUSE_SHORT_COPY,
	CAUSE_UNKNOWN,
	NR_EAGAIN_CAUSES,
};

extern const char *const cause_names[NR_EAGAIN_CAUSES];
extern const char *const cause_meanings[NR_EAGAIN_CAUSES]; /* a few words for the text report */
extern const char *const site_names[NR_SITES];
extern const char *const fail_errno_names[NR_FAIL_ERRNOS];
extern const char *const fill_names[NR_FILLS];
extern const char *const changing_op_names[NR_CHANGING_OPS];

/* The cause of an -EAGAIN that came from @site. */
enum eagain_cause cause_of_site(enum fail_site site);

/* Calls that failed with -EAGAIN for @cause. */
__u64 failures_of_cause(const struct failures *f, enum eagain_cause cause);

/* Calls that failed with @fail, or that it stopped, over all sites. */
__u64 failures_of_errno(const struct failures *f, enum fail_errno fail);
__u64 stops_of_errno(const struct failures *f, enum fail_errno fail);

/* "madvise", or NULL for a system call that raises mmap_changing in no way we know; "DONTNEED", or NULL. */
const char *syscall_name(int number);
const char *advice_name(int advice);

/* What a chain's last failure is called: a cause for EAGAIN, else the errno. */
const char *chain_cause_name(__u64 word);

#endif /* FAILURES_H */
