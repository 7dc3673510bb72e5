/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Every word of the reports, once: what the JSON schema calls the counters. */
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
extern const char *const skipped_names[NR_SKIP_COSTS]; /* COSTS_NOTHING has none */
extern const char *const cause_names[NR_EAGAIN_CAUSES];
extern const char *const cause_meanings[NR_EAGAIN_CAUSES];
extern const char *const site_names[NR_SITES];
/* NULL for SITE_SHORT, which is always an EAGAIN. */
extern const char *const site_meanings[NR_SITES];
extern const char *const fail_errno_names[NR_FAIL_ERRNOS];
extern const char *const fill_names[NR_FILLS];
extern const char *const changing_op_names[NR_CHANGING_OPS];
extern const char *const event_kind_names[NR_EVENT_KINDS];
extern const char *const changing_event_names[NR_CHANGING_OPS]; /* UFFD_EVENT_* */

/* "ok", "EAGAIN", ..., "other" for an index of totals.returned; NULL: no errno has this number. */
const char *returned_name(unsigned int index);

/* "fault", "stack growth", ... for an enum writer_origin but WRITER_SYSCALL; else "other". */
const char *origin_name(__u32 origin);

#endif /* NAMES_H */
