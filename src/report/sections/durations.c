// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Histograms of durations: see durations.h. */
#include "report/sections/durations.h"
#include "counters/counters.h"
#include "report/format.h"
#include "sys/json_lines.h"

#define POWERS 40 /* of two, in ns: 18 minutes */

static void print_percentiles(FILE *out, const struct hist *h)
{
	fprintf(out, "p50 %s, p99 %s, max %s", DURATION(hist_quantile(h, 0.5)),
		DURATION(hist_quantile(h, 0.99)), DURATION(hist_quantile(h, 1)));
}

/* Are begins of @kind seen twice, early and late? Where a plan is exact only those of hugetlb are. */
static bool bounds_begin(const struct report *r, enum dst_kind kind)
{
	return r->bounds_begin && report_sees(r, kind) && (kind == KIND_HUGETLB || !r->exact);
}

void text_begin(const struct report *r, const struct counters *c)
{
	if (!c->totals.begin_bounded)
		return;
	fprintf(r->out, "\n%-18sat most ",
		bounds_begin(r, KIND_SHMEM) ? "begin early" : "early (hugetlb)");
	print_percentiles(r->out, &c->begin);
	fprintf(r->out, ", in %s windows;\n%-18smm_lock_seq moved in that time in %s of them\n",
		N(c->totals.begin_bounded), "", N(c->totals.begin_moved));
}

/* Windows of 2^@power ns up to the next power. */
static __u64 in_power(const struct hist *h, int power)
{
	__u64 n = 0;

	for (__u32 i = 0; i < HIST_BUCKETS; i++)
		if (hist_log2(hist_min(i) | 1) == (__u32)power)
			n += h->count[i];
	return n;
}

static void print_bar(FILE *out, __u64 n, __u64 most)
{
	const int bar = (int)(40 * share_of(n, most) + 0.5);

	fprintf(out, "|%.*s%*s|\n", bar, "****************************************", 40 - bar, "");
}

void text_lengths(const struct report *r, const struct counters *c)
{
	__u64 n[POWERS], most = 0;
	int first = POWERS, last = -1;
	struct hist h;

	hist_of_class(c, NR_CLASSES, &h);
	for (int i = 0; i < POWERS; i++) {
		n[i] = in_power(&h, i);
		most = n[i] > most ? n[i] : most;
		last = n[i] ? i : last;
		first = i < first && n[i] ? i : first;
	}
	if (!most)
		return;
	fprintf(r->out, "\n%-20s %9s\n", "length of windows", "windows");
	for (int i = first; i <= last; i++) {
		fprintf(r->out, "%8s ... %-8s %8s ", DURATION(1ULL << i), DURATION(2ULL << i),
			N(n[i]));
		print_bar(r->out, n[i], most);
	}
}

static void print_relock_line(FILE *out, const char *what, const struct hist *h)
{
	fprintf(out, "%-18s%s", what, N(hist_count(h)));
	if (hist_count(h)) {
		fprintf(out, " times: ");
		print_percentiles(out, h);
	}
	fputc('\n', out);
}

void text_relock(const struct report *r, const struct counters *c)
{
	struct hist all;

	if (!r->relock)
		return;
	hist_of_relocks(c, &all);
	fputc('\n', r->out);
	print_relock_line(r->out, "relock", &all);
	print_relock_line(r->out, "  with mmap_lock", &c->relock[RELOCK_MMAP_LOCK]);
}

static void add_class_hist(struct json_object *o, const struct report *r, enum window_class class,
			   const struct hist *h)
{
	add_value(o, class_names[class], report_tells_class(r, class) ? hist_json(h) : NULL);
}

void json_hists(struct json_object *o, const struct report *r, const struct counters *c)
{
	struct json_object *hists = add_object(o, "hist_ns");
	struct json_object *window = add_object(hists, "window");
	struct json_object *kinds = add_object(hists, "window_by_kind");
	struct hist h;

	for (enum window_class i = 0; i < NR_CLASSES; i++) {
		hist_of_class(c, i, &h);
		add_class_hist(window, r, i, &h);
	}
	for (int kind = 0; kind < NR_KINDS; kind++) {
		struct json_object *of_kind;

		if (!report_sees(r, kind)) {
			add_null(kinds, kind_names[kind]);
			continue;
		}
		of_kind = add_object(kinds, kind_names[kind]);
		for (enum window_class i = 0; i < NR_CLASSES; i++)
			add_class_hist(of_kind, r, i, &c->hists[kind][i]);
	}
	hist_of_relocks(c, &h);
	add_value(hists, "relock", r->relock ? hist_json(&h) : NULL);
	add_value(hists, "relock_mmap_lock",
		  r->relock ? hist_json(&c->relock[RELOCK_MMAP_LOCK]) : NULL);
	add_value(hists, "begin_early", r->bounds_begin ? hist_json(&c->begin) : NULL);
}

static struct json_object *bounded_kinds(const struct report *r)
{
	struct json_object *kinds = json_array();

	for (enum dst_kind kind = 0; kind < NR_KINDS; kind++)
		if (bounds_begin(r, kind))
			json_append(kinds, json_text(kind_names[kind]));
	return kinds;
}

void json_begin(struct json_object *o, const struct report *r, const struct counters *c)
{
	struct json_object *begin;

	if (!r->bounds_begin) {
		add_null(o, "begin_early");
		return;
	}
	begin = add_object(o, "begin_early");
	add_value(begin, "kinds", bounded_kinds(r));
	add_u64(begin, "windows", c->totals.begin_bounded);
	add_u64(begin, "seq_moved", c->totals.begin_moved);
}

/* Attempts that found no VMA are counted too. */
void json_relock(struct json_object *o, const struct report *r, const struct counters *c)
{
	struct json_object *relock;
	struct hist all;

	if (!r->relock) {
		add_null(o, "relock");
		return;
	}
	hist_of_relocks(c, &all);
	relock = add_object(o, "relock");
	add_u64(relock, "total", hist_count(&all));
	add_u64(relock, "mmap_lock", hist_count(&c->relock[RELOCK_MMAP_LOCK]));
}
