/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Advice for people who run a userfaultfd handler: at most five lines, each with its evidence. */
#ifndef ADVICE_H
#define ADVICE_H

#include "report/common.h"

#define MAX_ADVICE 5
#define ADVICE_LEN 320

struct advice {
	const char *rule; /* its name in JSON */
	char text[ADVICE_LEN];
};

/*
 * advise() - the rules that apply to these counters, the most pressing first. A rule with little
 * evidence is silent.
 * @holders: who raised mmap_changing. Returns how many rules.
 */
int advise(const struct counters *c, const struct holder_row *holders, int nr_holders,
	   struct advice list[MAX_ADVICE]);

/* Print the advice under a head; nothing without advice. */
void text_advice(const struct report *r, const struct span *s);
/* Add advice, an array, to @o. */
void json_advice(struct json_object *o, const struct span *s);

#endif /* ADVICE_H */
