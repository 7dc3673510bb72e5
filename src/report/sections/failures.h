/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Why copies failed: causes, and who raised mmap_changing. */
#ifndef REPORT_FAILURES_H
#define REPORT_FAILURES_H

#include "report/common.h"

/* Print them; without --verbose only what the first screen leaves out. */
void text_failures(const struct report *r, const struct span *s);

/* Calls that failed because mmap_changing was raised. */
__u64 failures_by_event(const struct failures *f);

/* The holder that refused most calls, or NULL. */
const struct holder_row *worst_holder(const struct span *s);
/* Did @h refuse all that an event refused, as far as was seen? */
bool refused_all(const struct holder_row *h, const struct span *s);

#define HOLDER_LEN 96
/* "madvise(MADV_DONTNEED)", or the operation where the call is not known. */
void holder_call(const struct holder *who, char text[HOLDER_LEN]);
/* "madvise(MADV_DONTNEED) of vmm (pid 4242)": printable. */
void holder_name(const struct holder *who, char text[HOLDER_LEN]);
void holder_text(const struct holder_row *h, char text[HOLDER_LEN]);

/* Add op, syscall and advice of @who to @o. */
void json_holder_call(struct json_object *o, const struct holder *who);
/* Add eagain_causes, causes, short_copy, fill_ioctls and mmap_changing to @o. */
void json_failures(struct json_object *o, const struct span *s);

#endif /* REPORT_FAILURES_H */
