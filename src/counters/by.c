// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Lines of the table of targets: see by.h. */
#include "counters/by.h"

#include <stdlib.h>
#include <string.h>

static const struct by_counts none;

static __u64 less(__u64 a, __u64 b)
{
	return a > b ? a - b : 0;
}

static __u64 least(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/* Which of the windows in doubt are not needless is not known: of each target as many may be. */
static __u64 in_doubt(const struct by_table *t, const struct by_counts *c)
{
	return least(c->doubtful, t->doubtful);
}

/* @c's needless windows without those. It may be read before the window that is in doubt. */
static __u64 sure(const struct by_table *t, const struct by_counts *c)
{
	return less(c->needless, in_doubt(t, c));
}

/* A table that is older may have no such row. */
static const struct by_counts *counts_of(const struct by_table *t, __u32 id)
{
	return t && id < t->nr ? &t->rows[id].counts : &none;
}

/* Which targets' windows are in doubt is decided anew by each reading: an interval is 0 at least. */
static struct by_line line_of(const struct by_table *now, const struct by_table *then, __u32 id)
{
	const struct by_counts *n = counts_of(now, id), *t = counts_of(then, id);

	return (struct by_line) {
		.who = &now->rows[id],
		.calls = n->calls - t->calls,
		.eagain = n->eagain - t->eagain,
		.windows = n->windows - t->windows,
		.needless = less(sure(now, n), then ? sure(then, t) : 0),
	};
}

static void add_line(struct by_line *sum, const struct by_line *line)
{
	sum->calls += line->calls;
	sum->eagain += line->eagain;
	sum->windows += line->windows;
	sum->needless += line->needless;
}

/* Add the lengths of @line's windows to @sum. */
static void add_lengths(__u64 sum[BY_BUCKETS], const struct by_table *now,
			const struct by_table *then, const struct by_line *line)
{
	__u32 id = (__u32)(line->who - now->rows);

	for (int i = 0; i < BY_BUCKETS; i++)
		sum[i] += counts_of(now, id)->lengths[i] - counts_of(then, id)->lengths[i];
}

static __u64 p99(const __u64 lengths[BY_BUCKETS])
{
	__u64 n = 0, seen = 0, low, high;
	__u32 i;

	for (i = 0; i < BY_BUCKETS; i++)
		n += lengths[i];
	if (!n)
		return 0;
	for (i = 0; i < BY_BUCKETS - 1; i++) {
		seen += lengths[i];
		if (seen >= n - n / 100)
			break;
	}
	low = hist_min(2 * i);
	high = i < BY_BUCKETS - 1 ? hist_max(2 * i + 1) : low;
	return low + (high - low) / 2;
}

/* More windows in doubt than there are not needless ones stay needless, of whomever. */
static __u64 still_needless(const struct by_table *t)
{
	__u64 taken = 0;

	for (__u32 id = 0; t && id < t->nr; id++)
		taken += in_doubt(t, &t->rows[id].counts);
	return t ? less(taken, t->doubtful) : 0;
}

static int descending(__u64 x, __u64 y)
{
	return (x < y) - (x > y);
}

static int compare(const void *a, const void *b)
{
	const struct by_line *x = a, *y = b;

	return descending(x->eagain, y->eagain)	    ?: descending(x->needless, y->needless)
	       ?: descending(x->windows, y->windows) ?: descending(x->calls, y->calls)
	       ?: (x->who > y->who) - (x->who < y->who);
}

void by_list_make(struct by_list *l, const struct by_table *now, const struct by_table *then,
		  int max)
{
	__u64 others[BY_BUCKETS] = {};
	int nr = 0;

	l->other = line_of(now, then, 0);
	add_lengths(others, now, then, &l->other);
	l->other.who = NULL;
	l->other.windows += now->unseen - (then ? then->unseen : 0);
	l->other.needless += less(still_needless(now), still_needless(then));
	for (__u32 id = 1; id < now->nr; id++) {
		l->lines[nr] = line_of(now, then, id);
		if (now->rows[id].used && (l->lines[nr].calls || l->lines[nr].windows))
			nr++;
	}
	qsort(l->lines, (size_t)nr, sizeof(l->lines[0]), compare);
	l->nr = nr < max ? nr : max;
	l->others = nr - l->nr;
	for (int i = 0; i < nr; i++) {
		__u64 own[BY_BUCKETS] = {};

		add_lengths(i < l->nr ? own : others, now, then, &l->lines[i]);
		if (i < l->nr)
			l->lines[i].p99_ns = p99(own);
		else
			add_line(&l->other, &l->lines[i]);
	}
	l->other.p99_ns = p99(others);
}

void by_list_cut(struct by_list *l, int max)
{
	if (l->nr <= max)
		return;
	for (int i = max; i < l->nr; i++)
		add_line(&l->other, &l->lines[i]);
	l->others += l->nr - max;
	l->nr = max;
	l->other.p99_ns = 0;
}
