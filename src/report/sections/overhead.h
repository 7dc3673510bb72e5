/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What the BPF programs cost (--overhead), by the kernel's own counts. */
#ifndef OVERHEAD_H
#define OVERHEAD_H

#include "report/common.h"

/* Print a table of the programs that ran. */
void text_overhead(const struct report *r, const struct span *s);
/* Add overhead to @o. */
void json_overhead(struct json_object *o, const struct report *r, const struct span *s);

#endif /* OVERHEAD_H */
