/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Chains: pages whose copies failed in a row, and what became of them. */
#ifndef REPORT_CHAINS_H
#define REPORT_CHAINS_H

#include "report/common.h"

/* Print them; nothing without a page whose copies failed in a row. */
void text_chains(const struct report *r, const struct counters *c);
/* Add chains to @o. */
void json_chains(struct json_object *o, const struct counters *c);

#endif /* REPORT_CHAINS_H */
