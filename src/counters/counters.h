/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Arithmetic on counters: sums, differences, percentiles, confidence intervals. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "counters/names.h"
#include "counters/run.h"

/* @diff = @now - @then for each counter; a state such as @open is @now's. */
void counters_sub(struct counters *diff, const struct counters *now, const struct counters *then);

__u64 windows_of_class(const struct totals *t, enum window_class class);
/* @classes: a set, see CLASS_SET(). */
__u64 windows_of_classes(const struct totals *t, __u32 classes);
__u64 windows_total(const struct totals *t);
/* Windows that reached the checks: neither aborted, blocked, gone nor undetermined. */
__u64 windows_reached(const struct totals *t);

/* At most so many windows are missing among those that reached a check. */
__u64 windows_missing(const struct counters *c);
/* Calls may be missing, with their results: no share of all calls has a bound. */
bool calls_unseen(const struct counters *c);

/* The cause of an -EAGAIN that came from @site. */
enum eagain_cause cause_of_site(enum fail_site site);

/* Calls that failed with -EAGAIN for @cause. */
__u64 failures_of_cause(const struct failures *f, enum eagain_cause cause);

/* Calls that failed with @fail, and short copies that it stopped, summed over all sites. */
__u64 failures_of_errno(const struct failures *f, enum fail_errno fail);
__u64 stops_of_errno(const struct failures *f, enum fail_errno fail);

/* Failed calls and short copies without a cause: a fact was lost. */
__u64 failures_unexplained(const struct failures *f);

/* The last failure of a CHAIN_WORD(): a cause for EAGAIN, else the errno; NULL: an empty chain. */
const char *chain_cause_name(__u64 word);

/* The histograms of one class over all kinds, or of all classes with NR_CLASSES. */
void hist_of_class(const struct counters *c, unsigned int class, struct hist *sum);
/* Relock latency, with mmap_lock or without. */
void hist_of_relocks(const struct counters *c, struct hist *sum);
__u64 hist_count(const struct hist *h);
/* The bucket of the @rank-th shortest (1 is the shortest, at most hist_count()) of @h. */
__u32 hist_bucket_of(const struct hist *h, __u64 rank);

/* The quantile @q (0..1) of @h, to within a bucket (12.5 %); 0 for an empty histogram. */
__u64 hist_quantile(const struct hist *h, double q);

/*
 * quantile_ranks() - the order statistics (1 is the least of @n) between which the quantile @q of the
 * source lies with 95 %, by the binomial distribution. 0 and @n + 1: there is none so far out.
 */
void quantile_ranks(__u64 n, double q, __u64 *low, __u64 *high);

/*
 * wilson() - the 95 % Wilson score interval of a share of @k in @n.
 * With @k == 0 the upper bound is the rule of three, 3/n; with @n == 0 it is 0 ... 1.
 */
void wilson(__u64 k, __u64 n, double *low, double *high);

/*
 * newcombe() - the 95 % interval of the difference of two independent shares, k[1] of n[1] less k[0]
 * of n[0]: Newcombe's hybrid of their Wilson score intervals (1998, method 10). Neither n is 0.
 */
void newcombe(const __u64 k[2], const __u64 n[2], double *low, double *high);

#endif /* COUNTERS_H */
