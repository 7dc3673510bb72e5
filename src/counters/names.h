/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Every word of the reports, once: what the JSON schema calls the counters, and the kernel's own
 * names of system calls, advice and flags.
 */
#ifndef NAMES_H
#define NAMES_H

#include "uffdretry.h"

#include <stdbool.h>

/* Why UFFDIO_COPY returned -EAGAIN, in the order of the schema. */
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

/* Indexed by the enums above and in uffdretry.h. Meanings are a few words for the text report. */
extern const char *const class_names[NR_CLASSES];
extern const char *const class_meanings[NR_CLASSES];
extern const char *const kind_names[NR_KINDS];
extern const char *const check_names[NR_CHECKS];
extern const char *const snapshot_reason_names[NR_SNAPSHOT_REASONS];
extern const char *const meaning_reason_names[NR_MEANING_REASONS];
extern const char *const tolerated_reason_names[NR_TOLERATED_REASONS];
extern const char *const lost_names[NR_LOST_CAUSES];
extern const char *const cause_names[NR_EAGAIN_CAUSES];
extern const char *const cause_meanings[NR_EAGAIN_CAUSES];
extern const char *const site_names[NR_SITES];
/* NULL for SITE_SHORT, which is always an EAGAIN. */
extern const char *const site_meanings[NR_SITES];
extern const char *const fail_errno_names[NR_FAIL_ERRNOS];
extern const char *const fill_names[NR_FILLS];
extern const char *const changing_op_names[NR_CHANGING_OPS];
extern const char *const changing_event_names[NR_CHANGING_OPS]; /* UFFD_EVENT_* */

/* "ok", "EAGAIN", ..., "other" for an index of totals.returned; NULL: no errno has this number. */
const char *returned_name(unsigned int index);

/* "fault", "stack growth", ... for an enum writer_origin but WRITER_SYSCALL; else "other". */
const char *origin_name(__u32 origin);

/* A value and what the kernel's headers call it. */
struct word {
	__u32 value;
	const char *name;
};

/* The name of @value in a list that ends with a NULL name, or NULL. */
const char *word_name(const struct word *words, __u32 value);

/* What the argument writer_shape.sub of a system call is. */
enum sub_kind {
	SUB_NONE,
	SUB_BITS,    /* a set of flags */
	SUB_VALUE,   /* one value */
	SUB_ADVICE,  /* of madvise() */
	SUB_REQUEST, /* of ioctl() */
};

/* A system call that writes to an mm or raises mmap_changing. */
struct syscall_row {
	__u32 nr;
	const char *name;
	bool raises; /* mmap_changing, for some userfaultfd events */
	bool forks;  /* a new mm comes of it where shape.everything fits */
	enum sub_kind sub_kind;
	const struct word *words; /* of the argument shape.sub; NULL: shown as a number */
	struct writer_shape shape;
};

extern const struct syscall_row syscall_rows[]; /* ends with a NULL name */

/* The row of a system call, or NULL. */
const struct syscall_row *syscall_row(__u32 nr);

/* "madvise", or NULL for a number that this machine's headers do not have. */
const char *any_syscall_name(__u32 nr);

/* "madvise", or NULL for a system call that is not known to raise mmap_changing. -1 is none. */
const char *syscall_name(int nr);

/* "MADV_DONTNEED", or NULL. -1 is none. */
const char *advice_name(int advice);

/* "UFFDIO_REGISTER", or NULL for another ioctl() than a userfaultfd's. */
const char *uffd_request_name(__u32 request);

#endif /* NAMES_H */
