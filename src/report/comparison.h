/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What two saved runs are compared by, and what their differences are worth: no output. */
#ifndef COMPARISON_H
#define COMPARISON_H

#include "counters/counters.h"
#include "report/saved.h"

/* Two runs; index 0 is the earlier one. Large: see struct saved. */
struct diff {
	const char *names[2]; /* of the files, printable */
	struct saved runs[2];
};

struct share {
	bool known; /* this kernel can tell */
	__u64 k, n;
	bool rate; /* k may exceed n, or calls may be missing: no interval */
};

struct diff_share {
	const char *name;
	const char *of;
	bool per_million; /* else in percent */
	bool always;	  /* also where both are 0 */
	struct share (*get)(const struct saved *s, int arg);
	int arg;
};

extern const struct diff_share diff_shares[];
extern const size_t nr_diff_shares;

/* Of the lengths of all windows. */
struct diff_quantile {
	const char *name;
	double q;
};

#define NR_QUANTILES 2
extern const struct diff_quantile diff_quantiles[NR_QUANTILES];

/* What was lost, or is in doubt. */
#define NR_LOSSES 16
extern const char *const loss_names[NR_LOSSES];
void losses_of(const struct counters *c, __u64 losses[NR_LOSSES]);

/* With its 95 % interval. NAN: there is no such end. */
struct estimate {
	bool known;
	double value, low, high;
};

struct estimate estimate_of(const struct share *s);
struct estimate difference_of(const struct share s[2]);

/* By the ranks between which the quantile lies, and their whole buckets. An end is NAN where few windows tell none. */
struct estimate quantile_of(const struct hist *h, double q);

/* The intervals of two quantiles that do not overlap, as that of their difference. */
struct estimate quantile_difference(const struct estimate e[2]);

/* "more", "less" or "no difference seen"; NULL where the interval is not known. */
const char *verdict_of(const struct estimate *difference);

/* Why the two runs should not be compared, or NULL. */
const char *warning_of(const struct diff *d);

/* The options of a run that its record shows, in @text. */
const char *options_text(const struct saved *s, char *text, size_t size);

#endif /* COMPARISON_H */
