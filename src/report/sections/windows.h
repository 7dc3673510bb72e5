/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Windows by class, verdicts by check, and in what mappings differed. */
#ifndef REPORT_SECTIONS_WINDOWS_H
#define REPORT_SECTIONS_WINDOWS_H

#include "report/common.h"

/* Print the tables; rows of zeros only with --verbose. */
void text_classes(const struct report *r, const struct counters *c);
void text_checks(const struct report *r, const struct totals *t);
/* Print in what mappings differed; nothing where none did. */
void text_reasons(const struct report *r, const struct totals *t);

#endif /* REPORT_SECTIONS_WINDOWS_H */
