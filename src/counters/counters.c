// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Arithmetic on counters: see counters.h. */
#include "counters/counters.h"
#include "lib/hist.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* struct totals and struct hist are arrays of __u64 by layout. */
static void sub_u64s(void *diff, const void *now, const void *then, size_t size)
{
	__u64 *d = diff;
	const __u64 *n = now, *t = then;

	for (size_t i = 0; i < size / sizeof(__u64); i++)
		d[i] = n[i] - t[i];
}

void counters_sub(struct counters *diff, const struct counters *now, const struct counters *then)
{
	sub_u64s(diff, now, then, sizeof(*diff));
	if (now->rehooks == REHOOKS_UNTOLD)
		diff->rehooks = REHOOKS_UNTOLD;
	diff->open = now->open;
	diff->chains_open = now->chains_open;
	diff->chain_longest = now->chain_longest;
	/* Of bounds the last reading may know that they were too high. */
	for (int i = 0; i < NR_SKIP_COSTS; i++)
		if (now->skipped[i] < then->skipped[i])
			diff->skipped[i] = 0;
}

__u64 windows_of_class(const struct totals *t, enum window_class class)
{
	__u64 n = 0;

	for (int kind = 0; kind < NR_KINDS; kind++)
		n += t->windows[kind][class];
	return n;
}

__u64 windows_of_classes(const struct totals *t, __u32 classes)
{
	__u64 n = 0;

	for (int i = 0; i < NR_CLASSES; i++)
		if (CLASS_SET(i) & classes)
			n += windows_of_class(t, (enum window_class)i);
	return n;
}

__u64 windows_total(const struct totals *t)
{
	return windows_of_classes(t, ~0U);
}

__u64 windows_reached(const struct totals *t)
{
	return windows_of_classes(t, CLASSES_REACHED);
}

__u64 windows_missing(const struct counters *c)
{
	return windows_of_class(&c->totals, CLASS_UNDETERMINED) + c->totals.lost[LOST_MAP_FULL] +
	       c->skipped[COSTS_WINDOW];
}

bool calls_unseen(const struct counters *c)
{
	return c->skipped[COSTS_CALL] || c->rehooks; /* REHOOKS_UNTOLD, too */
}

enum eagain_cause cause_of_site(enum fail_site site)
{
	switch (site) {
	case SITE_ENTRY:
		return CAUSE_ENTRY_MMAP_CHANGING;
	case SITE_LOCK:
		return CAUSE_LOCK_MMAP_CHANGING;
	case SITE_RELOCK:
		return CAUSE_RELOCK_MMAP_CHANGING;
	case SITE_REFUSED:
		return CAUSE_VMA_LOCK;
	case SITE_CHECK:
		return CAUSE_SNAPSHOT;
	case SITE_PAGE:
		return CAUSE_PTE;
	case SITE_SHORT:
		return CAUSE_SHORT_COPY;
	default:
		return CAUSE_UNKNOWN;
	}
}

__u64 failures_of_cause(const struct failures *f, enum eagain_cause cause)
{
	__u64 n = 0;

	for (int site = 0; site < NR_SITES; site++)
		if (cause_of_site((enum fail_site)site) == cause)
			n += f->failed[FAIL_EAGAIN][site];
	return n;
}

static __u64 sum_of_sites(const __u64 counts[NR_SITES])
{
	__u64 n = 0;

	for (int site = 0; site < NR_SITES; site++)
		n += counts[site];
	return n;
}

__u64 failures_of_errno(const struct failures *f, enum fail_errno fail)
{
	return sum_of_sites(f->failed[fail]);
}

__u64 stops_of_errno(const struct failures *f, enum fail_errno fail)
{
	return sum_of_sites(f->stopped[fail]);
}

__u64 failures_unexplained(const struct failures *f)
{
	__u64 n = 0;

	for (int i = 0; i < NR_FAIL_ERRNOS; i++)
		n += f->failed[i][SITE_UNKNOWN] + f->stopped[i][SITE_UNKNOWN];
	return n;
}

const char *chain_cause_name(__u64 word)
{
	__u64 fail = CHAIN_FAIL(word), site = CHAIN_SITE(word);

	if (!CHAIN_LENGTH(word) || fail >= NR_FAIL_ERRNOS || site >= NR_SITES)
		return NULL;
	return fail == FAIL_EAGAIN ? cause_names[cause_of_site((enum fail_site)site)]
				   : fail_errno_names[fail];
}

static void add_hist(struct hist *sum, const struct hist *h)
{
	for (int i = 0; i < HIST_BUCKETS; i++)
		sum->count[i] += h->count[i];
	sum->sum += h->sum;
}

void hist_of_class(const struct counters *c, unsigned int class, struct hist *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned int kind = 0; kind < NR_KINDS; kind++)
		for (unsigned int k = 0; k < NR_CLASSES; k++)
			if (class == NR_CLASSES || class == k)
				add_hist(sum, &c->hists[kind][k]);
}

void hist_of_relocks(const struct counters *c, struct hist *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (int how = 0; how < NR_RELOCK_HOW; how++)
		add_hist(sum, &c->relock[how]);
}

__u64 hist_count(const struct hist *h)
{
	__u64 n = 0;

	for (int i = 0; i < HIST_BUCKETS; i++)
		n += h->count[i];
	return n;
}

__u32 hist_bucket_of(const struct hist *h, __u64 rank)
{
	__u64 seen = 0;

	for (__u32 i = 0; i < HIST_BUCKETS - 1; i++) {
		seen += h->count[i];
		if (seen >= rank)
			return i;
	}
	return HIST_BUCKETS - 1;
}

__u64 hist_quantile(const struct hist *h, double q)
{
	__u64 n = hist_count(h);
	double rank = ceil(q * (double)n);
	__u32 i;

	if (!n)
		return 0;
	/* A double rounds large numbers, also up. */
	i = hist_bucket_of(h, rank < 1 ? 1 : rank >= (double)n ? n : (__u64)rank);
	/* The last one is open above. */
	if (i >= HIST_BUCKETS - 1)
		return hist_min(HIST_BUCKETS - 1);
	return hist_min(i) + (hist_max(i) - hist_min(i)) / 2;
}

/* P(@k of @n), each with probability @q. */
static double binomial(__u64 k, __u64 n, double q)
{
	const double x = (double)k, m = (double)n;

	return exp(lgamma(m + 1) - lgamma(x + 1) - lgamma(m - x + 1) + x * log(q) +
		   (m - x) * log1p(-q));
}

void quantile_ranks(__u64 n, double q, __u64 *low, __u64 *high)
{
	const double mean = (double)n * q, sd = sqrt(mean * (1 - q)), tail = 0.025;
	/* Nothing is farther out. From 1,000 on the normal distribution will do. */
	const double far = sd < 1000 ? 8 * sd : 1.96 * sd;
	double sum = 0, p;

	*low = mean > far ? (__u64)(mean - far) : 0;
	*high = mean + far < (double)n ? (__u64)ceil(mean + far) : n;
	if (sd >= 1000)
		return;
	while ((p = binomial(*low, n, q)) + sum <= tail && *low < n) {
		sum += p;
		++*low;
	}
	sum = 0;
	while ((p = binomial(*high, n, q)) + sum <= tail && *high) {
		sum += p;
		--*high;
	}
	++*high;
}

/* Of @n that is not 0. */
static void score_interval(__u64 k, __u64 n, double *low, double *high)
{
	const double z = 1.959963984540054; /* 97.5 % quantile of the normal distribution */
	const double nn = (double)n, p = (double)k / nn;
	const double centre = (p + z * z / (2 * nn)) / (1 + z * z / nn);
	const double spread = z / (1 + z * z / nn) * sqrt(p * (1 - p) / nn + z * z / (4 * nn * nn));

	*low = centre - spread > 0 ? centre - spread : 0;
	*high = centre + spread < 1 ? centre + spread : 1;
}

void wilson(__u64 k, __u64 n, double *low, double *high)
{
	*low = 0;
	*high = 1;
	if (n && !k)
		*high = 3 / (double)n < 1 ? 3 / (double)n : 1;
	else if (n)
		score_interval(k, n, low, high);
}

void newcombe(const __u64 k[2], const __u64 n[2], double *low, double *high)
{
	double p[2], l[2], h[2];

	for (int i = 0; i < 2; i++) {
		p[i] = (double)k[i] / (double)n[i];
		score_interval(k[i], n[i], &l[i], &h[i]);
	}
	*low = p[1] - p[0] - hypot(p[1] - l[1], h[0] - p[0]);
	*high = p[1] - p[0] + hypot(h[1] - p[1], p[0] - l[0]);
}
