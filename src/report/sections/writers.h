/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Who held mmap_lock for write while a window was open. */
#ifndef REPORT_WRITERS_H
#define REPORT_WRITERS_H

#include "report/common.h"

/* Print the first of them; nothing when nobody wrote or writers are not measured. */
void text_writers(const struct report *r, const struct counters *c);

/* Add writers and write_sections to @o; null when writers are not measured. */
void json_writers(struct json_object *o, const struct report *r, const struct counters *c);

/* One writer without its counts and range: op, syscall, advice, flags, comm, pid, covers_dst. */
struct json_object *json_writer(const struct writer_entry *e);

#endif /* REPORT_WRITERS_H */
