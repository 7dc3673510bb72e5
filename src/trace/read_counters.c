// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Reading what the programs count: totals, histograms, writers, holders of mmap_changing. */
#include "trace/tracer.h"
#include "trace/tracer_private.h"
#include "lib/clock.h"
#include "sys/time_ns.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>

/* Sum row @key of all CPUs, which is @size bytes of __u64, in @sum. */
static void sum_rows(const struct tracer *t, enum row_map which, __u32 key, void *sum, size_t size)
{
	__u64 *total = sum;

	memset(sum, 0, size);
	for (int cpu = 0; cpu < t->nr_cpus; cpu++) {
		const __u64 *row = rows_at(&t->rows[which], cpu, key);

		for (size_t i = 0; i < size / sizeof(__u64); i++)
			total[i] += __atomic_load_n(&row[i], __ATOMIC_RELAXED);
	}
}

/* Rows are only ever added. */
void read_writers(struct tracer *t, struct writer_counts counts[MAX_WRITERS])
{
	for (__u32 id = 0; id < MAX_WRITERS; id++) {
		const struct writer_row *row = rows_at(&t->rows[ROWS_WRITERS], 0, id);

		if (!__atomic_load_n(&row->used, __ATOMIC_ACQUIRE))
			continue;
		if (counts)
			counts[id] = (struct writer_counts) { row->windows, row->sections };
		t->writers[id] = (struct writer_entry) {
			.key = row->key, .start = row->start, .end = row->end, .used = true
		};
	}
}

const struct writer_entry *tracer_writers(const struct tracer *t)
{
	return t->has_writers ? t->writers : NULL;
}

static __u64 read_open(const struct tracer *t)
{
	__u64 open = 0;

	for (size_t i = 0; i < sizeof(t->skel->bss->mm_states) / sizeof(struct mm_state); i++)
		open += t->skel->bss->mm_states[i].open;
	return open;
}

void tracer_read_totals(struct tracer *t, enum totals_slot slot, struct totals *totals)
{
	sum_rows(t, ROWS_TOTALS, slot, totals, sizeof(*totals));
}

static void read_failures(struct tracer *t, struct counters *c)
{
	sum_rows(t, ROWS_FAILURES, SLOT_RUN, &c->failures, sizeof(c->failures));
	sum_rows(t, ROWS_CHAIN_HIST, 0, &c->chain_lengths, sizeof(c->chain_lengths));
	c->chains_open = t->skel->bss->open_chains.value;
	c->chain_longest = t->skel->bss->longest_chain.value;
}

static void read_hists(struct tracer *t, struct counters *c)
{
	for (__u32 kind = 0; kind < NR_KINDS; kind++)
		for (__u32 i = 0; i < NR_CLASSES; i++)
			sum_rows(t, ROWS_WINDOW_HISTS, kind * NR_CLASSES + i, &c->hists[kind][i],
				 sizeof(struct hist));
	sum_rows(t, ROWS_BEGIN_HIST, 0, &c->begin, sizeof(c->begin));
	for (__u32 how = 0; how < NR_RELOCK_HOW; how++)
		sum_rows(t, ROWS_RELOCK_HISTS, how, &c->relock[how], sizeof(struct hist));
}

/* Most refused calls first. */
static int compare_holders(const void *a, const void *b)
{
	const struct holder_row *x = a, *y = b;

	return (x->totals.refused < y->totals.refused) - (x->totals.refused > y->totals.refused);
}

static void add_raise(struct holder_row *rows, int nr, const struct raise *up, __u64 now)
{
	for (int i = 0; i < nr; i++)
		if (!memcmp(&rows[i].who, &up->who, sizeof(up->who)) &&
		    rows[i].totals.longest_ns < now - up->since)
			rows[i].totals.longest_ns = now - up->since;
}

/* A raise that nobody has lowered yet may be the longest. Where entries go meanwhile, a walk starts again. */
static void add_raises(const struct bpf_map *map, struct holder_row *rows, int nr)
{
	const __u64 now = now_ns() - (__u64)time_ns_offset();
	struct raise_key key, *last = NULL;
	struct raise up;

	for (int i = 0; i < MAX_RAISES; i++) {
		if (bpf_map__get_next_key(map, last, &key, sizeof(key)))
			return;
		if (!bpf_map__lookup_elem(map, &key, sizeof(key), &up, sizeof(up), 0))
			add_raise(rows, nr, &up, now);
		last = &key;
	}
}

int tracer_read_holders(struct tracer *t, struct holder_row *rows, int max)
{
	struct bpf_map *map = t->skel->maps.holders;
	struct holder key, *last = NULL;
	int nr = 0;

	while (nr < max && !bpf_map__get_next_key(map, last, &key, sizeof(key))) {
		rows[nr].who = key;
		if (!bpf_map__lookup_elem(map, &key, sizeof(key), &rows[nr].totals,
					  sizeof(rows[nr].totals), 0) &&
		    (rows[nr].totals.traced || rows[nr].totals.refused))
			nr++;
		last = &key;
	}
	add_raises(t->skel->maps.raises, rows, nr);
	qsort(rows, (size_t)nr, sizeof(rows[0]), compare_holders);
	return nr;
}

/*
 * Windows that showed without a begin: as many as runs of the begin's hook were skipped are
 * undetermined. The others were under way when the run began. With @events each lacks its event.
 */
static void count_unseen(struct counters *c, bool events)
{
	for (int kind = 0; kind < NR_KINDS; kind++) {
		__u64 unseen = c->totals.begin_unseen[kind];

		if (unseen > c->skipped[COSTS_WINDOW])
			unseen = c->skipped[COSTS_WINDOW];
		c->skipped[COSTS_WINDOW] -= unseen;
		c->totals.windows[kind][CLASS_UNDETERMINED] += unseen;
		c->totals.lost[LOST_WINDOWS] += unseen;
		if (events)
			c->totals.lost[LOST_EVENTS] += unseen;
		c->unseen += unseen;
	}
}

/* Unless the kernel has one of these checks, it lets windows of CLASSES_DOUBTFUL pass. */
static bool kernel_contradicts_sequences(const struct tracer *t)
{
	const __u32 kernel_is = t->skel->data->kernel_is;

	return t->skel->rodata->has_kernel_check && kernel_is != CHECK_PER_VMA_SEQ &&
	       kernel_is != CHECK_PER_MM_SEQ;
}

/*
 * @n windows of a class of CLASSES_DOUBTFUL are undetermined after all: take them out of the checks that
 * would fail them. @differ: also lower the count of contradictions with the kernel.
 */
static void undo_checks(struct counters *c, __u64 n, bool differ)
{
	for (int i = CHECK_PER_VMA_SEQ; i <= CHECK_PER_MM_SEQ; i++) {
		struct check_totals *check = &c->totals.checks[i];

		check->eagain -= n;
		check->spurious -= n;
		/* Fewer were counted if a page failed with EAGAIN after the check. */
		if (differ)
			check->differs -= n < check->differs ? n : check->differs;
	}
	c->doubtful += n;
}

/*
 * How many windows whose class relies on @d's silence are in doubt: as many as runs were skipped of
 * the hook that was silent, and not more than have ended since the last reading. A skipped run
 * comes before the end of its window, so what an earlier reading told stays.
 */
static __u64 doubt(struct doubt *d, __u64 silent, __u64 missed)
{
	__u64 ended = silent - d->silent, left = missed - d->windows;

	d->silent = silent;
	d->windows += ended < left ? ended : left;
	return d->windows;
}

/*
 * Move as many windows of @class that rely on the silence @i to undetermined as runs were skipped: which
 * of them are of another class is not known.
 */
static void count_doubtful_of(struct tracer *t, struct counters *c, int i, int kind, int class)
{
	static const __u32 roles[NR_SILENCES] = {
		[SILENT_TESTS] = ROLE_PASSES,
		[SILENT_PAGE] = ROLE_PAGES,
	};
	const bool needless = CLASS_SET(class) & CLASSES_DOUBTFUL;
	struct totals *totals = &c->totals;
	__u64 n;

	/* The others do not depend on the address. */
	if (i == SILENT_PAGE && !needless)
		return;
	n = doubt(&t->doubts[i][kind][class], totals->silent[i][kind][class],
		  missed_by(t, roles[i]));
	totals->windows[kind][class] -= n;
	totals->windows[kind][CLASS_UNDETERMINED] += n;
	totals->lost[LOST_WINDOWS] += n;
	if (needless)
		undo_checks(c, n, i == SILENT_PAGE && kernel_contradicts_sequences(t));
}

static void count_doubtful(struct tracer *t, struct counters *c)
{
	for (int i = 0; i < NR_SILENCES; i++)
		for (int kind = 0; kind < NR_KINDS; kind++)
			for (int class = 0; class < CLASS_UNDETERMINED; class ++)
				count_doubtful_of(t, c, i, kind, class);
}

int tracer_read(struct tracer *t, struct counters *c)
{
	int err;

	tracer_read_totals(t, SLOT_RUN, &c->totals);
	read_hists(t, c);
	read_writers(t, c->writers);
	read_failures(t, c);
	err = read_missed(t, c);
	/* The witness did not see a write lock, and cannot have missed it. */
	if (!missed_by(t, ROLE_WITNESS))
		t->unwitnessed = c->totals.unwitnessed;
	c->totals.anomalies += t->unwitnessed;
	c->unseen = c->doubtful = 0;
	count_unseen(c, t->events);
	count_doubtful(t, c);
	c->open = read_open(t);
	c->rehooks = read_rehooks(t);
	return err;
}
