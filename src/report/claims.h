/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* --claims: the arguments of the mails of May 2026 about the check after the retry, each with its number. */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "report/common.h"

/* Windows that a rate needs: with none in 3,000 the true rate is below 0.1 %. */
#define CLAIM_WINDOWS 3000

/* One claim as these counters have it. */
struct claim {
	const char *name; /* in JSON */
	const char *who;
	const char *text;
	const char *unit; /* what @of counts */
	bool measured;	  /* this kernel can tell */
	__u64 number;	  /* @number of @of speak for it, or against it: the text tells */
	__u64 of;
	double low; /* 95 % interval of the share */
	double high;
	const char *verdict; /* "supported", "not supported", "undecided", "not enough windows", "not on this kernel" */
};

#define NR_CLAIMS 8

/* claims_judge() - every claim by the counters of one span, on a kernel that counts write sections as @seq says. */
void claims_judge(const struct counters *c, enum seq_kind seq, struct claim claims[NR_CLAIMS]);

/* Print all claims. */
void text_claims(const struct report *r, const struct counters *c);
/* Add claims, an array, to @o. */
void json_claims(struct json_object *o, const struct report *r, const struct counters *c);

#endif /* CLAIMS_H */
