// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Arithmetic on counters: see totals.h. */
#include "counters/counters.h"
#include "lib/hist.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const char *const class_names[NR_CLASSES] = {
	[CLASS_QUIET] = "quiet",
	[CLASS_UNRELATED] = "unrelated",
	[CLASS_LOCKED] = "locked",
	[CLASS_TOLERATED] = "tolerated",
	[CLASS_REPLACED] = "replaced",
	[CLASS_HIDDEN] = "hidden",
	[CLASS_FALSE_ALARM] = "false_alarm",
	[CLASS_REAL] = "real",
	[CLASS_GONE] = "gone",
	[CLASS_BLOCKED] = "blocked",
	[CLASS_ABORTED] = "aborted",
	[CLASS_UNDETERMINED] = "undetermined",
};

const char *const class_meanings[NR_CLASSES] = {
	[CLASS_QUIET] = "nobody wrote to the mm",
	[CLASS_UNRELATED] = "a writer elsewhere in the mm",
	[CLASS_LOCKED] = "VMA write-locked, unchanged",
	[CLASS_TOLERATED] = "VMA changed, harmlessly",
	[CLASS_REPLACED] = "unmapped, mapped again alike",
	[CLASS_HIDDEN] = "means another page, unnoticed",
	[CLASS_FALSE_ALARM] = "same page, snapshot differs",
	[CLASS_REAL] = "means another page, noticed",
	[CLASS_GONE] = "VMA no longer there",
	[CLASS_BLOCKED] = "EAGAIN before any check",
	[CLASS_ABORTED] = "source could not be read",
	[CLASS_UNDETERMINED] = "a fact was lost",
};

const char *const kind_names[NR_KINDS] = {
	[KIND_ANON] = "anon",
	[KIND_SHMEM] = "shmem",
	[KIND_HUGETLB] = "hugetlb",
};

const char *const check_names[NR_CHECKS] = {
	[CHECK_OPS_POINTER] = "ops_pointer", [CHECK_SNAPSHOT] = "snapshot", [CHECK_PER_VMA_SEQ] = "per_vma_seq",
	[CHECK_PER_MM_SEQ] = "per_mm_seq",   [CHECK_KERNEL] = "kernel",
};

const char *const snapshot_reason_names[NR_SNAPSHOT_REASONS] = {
	[SNAPSHOT_UFFD_FLAGS] = "uffd_flags",
	[SNAPSHOT_SHARED] = "shared",
	[SNAPSHOT_OPS] = "ops",
	[SNAPSHOT_FILE] = "file",
	[SNAPSHOT_INODE] = "inode",
	[SNAPSHOT_PGOFF] = "pgoff",
};

const char *const meaning_reason_names[NR_MEANING_REASONS] = {
	[MEANING_CTX] = "ctx", [MEANING_UFFD_FLAGS] = "uffd_flags", [MEANING_SHARED] = "shared",
	[MEANING_OPS] = "ops", [MEANING_INODE] = "inode",	    [MEANING_OFFSET] = "offset",
};

const char *const tolerated_reason_names[NR_TOLERATED_REASONS] = {
	[TOLERATED_RANGE] = "range",   [TOLERATED_FLAGS] = "flags", [TOLERATED_PROT] = "prot",
	[TOLERATED_POLICY] = "policy", [TOLERATED_NAME] = "name",
};

const char *returned_name(unsigned int index)
{
	if (index == 0)
		return "ok";
	return index == RETURNED_OTHER ? "other" : strerrorname_np((int)index);
}

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
	diff->open = now->open;
	diff->chains_open = now->chains_open;
	diff->chain_longest = now->chain_longest;
}

__u64 windows_of_class(const struct totals *t, enum window_class class)
{
	__u64 n = 0;

	for (int kind = 0; kind < NR_KINDS; kind++)
		n += t->windows[kind][class];
	return n;
}

__u64 windows_total(const struct totals *t)
{
	__u64 n = 0;

	for (int i = 0; i < NR_CLASSES; i++)
		n += windows_of_class(t, (enum window_class)i);
	return n;
}

__u64 windows_reached(const struct totals *t)
{
	return windows_total(t) - windows_of_class(t, CLASS_GONE) - windows_of_class(t, CLASS_BLOCKED) -
	       windows_of_class(t, CLASS_ABORTED) - windows_of_class(t, CLASS_UNDETERMINED);
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

__u64 hist_quantile(const struct hist *h, double q)
{
	__u64 n = hist_count(h), seen = 0;
	double rank = ceil(q * (double)n);

	if (!n)
		return 0;
	if (rank < 1)
		rank = 1;
	for (__u32 i = 0; i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if ((double)seen < rank)
			continue;
		if (i == HIST_BUCKETS - 1)
			return hist_min(i);
		return hist_min(i) + (hist_max(i) - hist_min(i)) / 2;
	}
	return 0;
}

void wilson(__u64 k, __u64 n, double *low, double *high)
{
	const double z = 1.959963984540054; /* 97.5 % quantile of the normal distribution */
	double p, nn = (double)n, centre, spread;

	*low = 0;
	*high = 1;
	if (!n)
		return;
	if (!k) {
		*high = 3 / nn < 1 ? 3 / nn : 1;
		return;
	}
	p = (double)k / nn;
	centre = (p + z * z / (2 * nn)) / (1 + z * z / nn);
	spread = z / (1 + z * z / nn) * sqrt(p * (1 - p) / nn + z * z / (4 * nn * nn));
	*low = centre - spread > 0 ? centre - spread : 0;
	*high = centre + spread < 1 ? centre + spread : 1;
}
