/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* --claims: what the mails of May 2026 claim about the check, each claim with its number. */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "report/common.h"

/* Windows that a rate needs: 0 of 3,000 has a 95 % upper bound of 0.1 %. */
#define CLAIM_WINDOWS 3000

/* A claim, judged. */
struct claim {
	const char *name; /* its name in JSON */
	const char *who;
	const char *text;
	const char *unit; /* what @of counts */
	bool measured;	  /* possible on this kernel */
	__u64 number;	  /* cases among @of; the text says what they are */
	__u64 of;
	double low; /* 95 % interval of the share */
	double high;
	/* "supported", "not supported", "undecided", "not enough windows", "not on this kernel" */
	const char *verdict;
};

#define NR_CLAIMS 8

/* Judge every claim by the counters of a span. @seq: how this kernel counts write sections. */
void claims_judge(const struct counters *c, enum seq_kind seq, struct claim claims[NR_CLAIMS]);

/* Print all claims. */
void text_claims(const struct report *r, const struct counters *c);
/* Add claims, an array, to @o. */
void json_claims(struct json_object *o, const struct report *r, const struct counters *c);

#endif /* CLAIMS_H */
