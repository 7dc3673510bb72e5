// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Classes, checks and reasons: see windows.h. */
#include "report/sections/windows.h"
#include "counters/counters.h"
#include "report/format.h"

static void print_class(const struct report *r, const struct counters *c, enum window_class class)
{
	__u64 n = windows_of_class(&c->totals, class), total = windows_total(&c->totals);
	struct hist h;

	if (!report_tells_class(r, class)) {
		fprintf(r->out, "%-12s not on this kernel\n", class_names[class]);
		return;
	}
	hist_of_class(c, class, &h);
	fprintf(r->out, "%-12s %-29s %9s %6s", class_names[class], class_meanings[class], N(n),
		PERCENT(share_of(n, total)));
	if (n && hist_count(&h))
		fprintf(r->out, " %6s %6s %6s", DURATION(hist_quantile(&h, 0.5)),
			DURATION(hist_quantile(&h, 0.99)), DURATION(hist_quantile(&h, 1)));
	fputc('\n', r->out);
}

void text_classes(const struct report *r, const struct counters *c)
{
	/* Even when empty: those that reach the checks. */
	const __u32 always = r->verbose ? CLASSES_REACHED : 0;

	if (!always && !windows_total(&c->totals))
		return;
	fprintf(r->out, "\n%-12s %-29s %9s %6s %6s %6s %6s\n", "class", "", "windows", "share",
		"~p50", "~p99", "~max");
	for (int i = 0; i < NR_CLASSES; i++)
		if (CLASS_SET(i) & always || windows_of_class(&c->totals, (enum window_class)i))
			print_class(r, c, (enum window_class)i);
}

/* The share of spurious EAGAIN with its 95 % interval, or with none its 95 % upper bound. */
static void print_spurious(FILE *out, __u64 k, __u64 n)
{
	double low, high;

	wilson(k, n, &low, &high);
	if (!n)
		fprintf(out, "  no windows");
	else if (!k)
		fprintf(out, "  < %s (0 of %s)", PERCENT(high), N(n));
	else
		fprintf(out, "  %s (%s ... %s)", PERCENT(share_of(k, n)), PERCENT(low),
			PERCENT(high));
	fputc('\n', out);
}

static bool shows_check(const struct report *r, const struct totals *t, enum check check)
{
	return r->verbose || t->checks[check].eagain || t->checks[check].missed;
}

static void print_check(const struct report *r, const struct totals *t, enum check check)
{
	const struct check_totals *c = &t->checks[check];

	if (!report_tells_check(r, check)) {
		fprintf(r->out, "%-11s not on this kernel\n", check_names[check]);
		return;
	}
	fprintf(r->out, "%-11s %8s %8s %8s %8s", check_names[check], N(c->eagain), N(c->real),
		N(c->spurious), N(c->missed));
	print_spurious(r->out, c->spurious, windows_reached(t));
}

/* Shadow verdicts: what each check would do. */
static void print_shadows(const struct report *r, const struct totals *t)
{
	bool head = false;

	for (int i = 0; i < CHECK_KERNEL; i++) {
		if (!shows_check(r, t, (enum check)i))
			continue;
		if (!head)
			fprintf(r->out, "\n%-9s %10s %8s %8s %8s  %s\n", "check", "would fail",
				"real", "spurious", "missed", "spurious share (95 % interval)");
		head = true;
		print_check(r, t, (enum check)i);
	}
}

void text_checks(const struct report *r, const struct totals *t)
{
	print_shadows(r, t);
	if (!shows_check(r, t, CHECK_KERNEL))
		return;
	fprintf(r->out, "\n%-11s %8s %8s %8s %8s\n", "answered by", "failed", "real", "spurious",
		"missed");
	print_check(r, t, CHECK_KERNEL);
}

static void print_reasons(const struct report *r, const char *title, const char *const *names,
			  const __u64 *counts, int nr)
{
	struct list l = { .out = r->out, .indent = 18 };
	char text[64];

	for (int i = 0; i < nr; i++) {
		if (!counts[i])
			continue;
		if (!l.column)
			fprintf(r->out, "%-18s", title);
		snprintf(text, sizeof(text), "%s %s", names[i], N(counts[i]));
		list_add(&l, text);
	}
	if (l.column)
		fputc('\n', r->out);
}

void text_reasons(const struct report *r, const struct totals *t)
{
	const __u32 differ = CLASSES_CHANGED | CLASS_SET(CLASS_FALSE_ALARM) |
			     CLASS_SET(CLASS_TOLERATED);

	if (!windows_of_classes(t, differ) && !t->file_unsure)
		return;
	fputc('\n', r->out);
	print_reasons(r, "snapshot differs", snapshot_reason_names, t->snapshot_reasons,
		      NR_SNAPSHOT_REASONS);
	print_reasons(r, "meaning differs", meaning_reason_names, t->meaning_reasons,
		      NR_MEANING_REASONS);
	print_reasons(r, "tolerated", tolerated_reason_names, t->tolerated_reasons,
		      NR_TOLERATED_REASONS);
	if (t->file_unsure)
		fprintf(r->out, "%-18s%s windows: another file may be at the old address\n",
			"file unsure", N(t->file_unsure));
}
