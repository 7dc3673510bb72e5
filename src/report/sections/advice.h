/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Advice for people who run a userfaultfd handler: at most five lines, each with its evidence. */
#ifndef ADVICE_H
#define ADVICE_H

#include "report/common.h"

#define MAX_ADVICE 5
#define ADVICE_LEN 320

/* Below which answer of the first screen it stands; OTHER: below the tables. */
enum about {
	ABOUT_EAGAIN,
	ABOUT_WRONG,
	ABOUT_OTHER,
	NR_ABOUT,
};

struct advice {
	const char *rule; /* its name in JSON */
	enum about about;
	const char *todo;      /* in short, where the evidence is above; NULL for ABOUT_OTHER */
	char text[ADVICE_LEN]; /* with its evidence */
};

/*
 * advise() - the rules that apply to these counters, the most pressing first. A rule with little
 * evidence is silent. Returns how many rules.
 */
int advise(const struct span *s, struct advice list[MAX_ADVICE]);

/* Print what to do below an answer: the most pressing. */
void text_todo(const struct report *r, const struct span *s, enum about about);
/* Print under a head the advice that the first screen has not, or with --verbose all. */
void text_advice(const struct report *r, const struct span *s);
/* Add advice, an array, to @o. */
void json_advice(struct json_object *o, const struct span *s);

#endif /* ADVICE_H */
