/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Arithmetic on counters: sums, differences, percentiles, intervals, and the names of what is counted. */
#ifndef TOTALS_H
#define TOTALS_H

#include "counters/run.h"

/* Names as in the JSON schema, indexed by the enums of uffdretry.h. */
extern const char *const class_names[NR_CLASSES];
extern const char *const class_meanings[NR_CLASSES]; /* a few words for the text report */
extern const char *const kind_names[NR_KINDS];
extern const char *const check_names[NR_CHECKS];
extern const char *const snapshot_reason_names[NR_SNAPSHOT_REASONS];
extern const char *const meaning_reason_names[NR_MEANING_REASONS];
extern const char *const tolerated_reason_names[NR_TOLERATED_REASONS];

/* "ok", "EAGAIN", ..., "other" for an index of totals.returned; NULL for a number no errno has. */
const char *returned_name(unsigned int index);

/* @diff = @now - @then, counter by counter; @open is @now's. */
void counters_sub(struct counters *diff, const struct counters *now, const struct counters *then);

__u64 windows_of_class(const struct totals *t, enum window_class class);
__u64 windows_total(const struct totals *t);
/* Windows in which the checks had something to decide: neither aborted, blocked, gone nor undetermined. */
__u64 windows_reached(const struct totals *t);

/* The histograms of one class over all kinds, or of all classes with NR_CLASSES. */
void hist_of_class(const struct counters *c, unsigned int class, struct hist *sum);
/* Re-take latency, with mmap_lock or without. */
void hist_of_relocks(const struct counters *c, struct hist *sum);
__u64 hist_count(const struct hist *h);
/* The value below which the share @q (0..1) of @h lies, to within a bucket (12.5 %); 0 for an empty one. */
__u64 hist_quantile(const struct hist *h, double q);

/*
 * wilson() - the 95 % Wilson score interval of a share of @k in @n.
 * With @k == 0 the upper bound is the rule of three, 3/n; with @n == 0 it is 0 ... 1.
 */
void wilson(__u64 k, __u64 n, double *low, double *high);

#endif /* TOTALS_H */
