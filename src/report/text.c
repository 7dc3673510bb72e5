// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The report for people: at most 80 columns, the answer at a glance. */
#include "report/text.h"
#include "counters/counters.h"
#include "report/sections/advice.h"
#include "report/sections/chains.h"
#include "report/sections/claims.h"
#include "report/sections/durations.h"
#include "report/sections/failures.h"
#include "report/format.h"
#include "report/sections/overhead.h"
#include "report/sections/per_mm.h"
#include "report/sections/writers.h"
#include "sys/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

static void print_time(const struct report *r)
{
	char text[32];
	time_t now = time(NULL);

	if (r->timestamp && strftime(text, sizeof(text), "%H:%M:%S ", localtime(&now)))
		fputs(text, r->out);
}

static void print_head(const struct report *r, const struct span *s)
{
	char who[40];
	struct utsname uts;

	target_text(r, who, sizeof(who));
	uname(&uts);
	print_time(r);
	fprintf(r->out, "UFFDIO_COPY of %s, %.1f s\n", who, s->elapsed_s);
	fprintf(r->out, "kernel %.50s, its check: %s\n", uts.release, r->kernel_check);
	fprintf(r->out, "plan %s (%s), self-test %s\n\n", r->plan, r->exactness, r->self_test);
}

static void print_copies(const struct report *r, const struct totals *t)
{
	struct list l = { .out = r->out, .indent = 10 };
	char text[64];

	fprintf(r->out, "copies    %s calls, %s pages, %s\n", N(t->calls), N(pages_of(t->bytes)),
		BYTES(t->bytes));
	fprintf(r->out, "returned  ");
	for (unsigned int e = 0; e < NR_RETURNED; e++) {
		if ((!t->returned[e] && e) || !returned_name(e))
			continue;
		snprintf(text, sizeof(text), "%s %s", N(t->returned[e]), returned_name(e));
		list_add(&l, text);
	}
	fputc('\n', r->out);
}

static void print_windows(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	__u64 total = windows_total(t), pages = pages_of(t->bytes);

	fprintf(r->out, "windows   %s", N(total));
	if (pages)
		fprintf(r->out, " (%.3g a page copied)", share_of(total, pages));
	fprintf(r->out, "\n          ");
	for (int kind = 0; kind < NR_KINDS; kind++) {
		__u64 n = 0;

		if (!report_sees(r, kind))
			continue;
		for (int i = 0; i < NR_CLASSES; i++)
			n += t->windows[kind][i];
		fprintf(r->out, "%s %s, ", N(n), kind_names[kind]);
	}
	fprintf(r->out, "%s by an external handler\n", N(t->external));
	if (c->open)
		fprintf(r->out, "          %s more still open\n", N(c->open));
}

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

/* Classes that reach the checks are shown even when empty, the others only when not. */
static void print_classes(const struct report *r, const struct counters *c)
{
	fprintf(r->out, "\n%-12s %-29s %9s %6s %6s %6s %6s\n", "class", "", "windows", "share",
		"p50", "p99", "max");
	for (int i = 0; i < NR_CLASSES; i++)
		if (CLASS_SET(i) & CLASSES_REACHED ||
		    windows_of_class(&c->totals, (enum window_class)i))
			print_class(r, c, (enum window_class)i);
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

static void print_checks(const struct report *r, const struct totals *t)
{
	__u64 reached = windows_reached(t);

	fprintf(r->out, "\n%-9s %10s %8s %8s %8s  %s\n", "check", "would fail", "real", "spurious",
		"missed", "spurious share (95 % interval)");
	for (int i = 0; i < NR_CHECKS; i++) {
		const struct check_totals *c = &t->checks[i];

		if (!report_tells_check(r, (enum check)i)) {
			fprintf(r->out, "%-11s not on this kernel\n", check_names[i]);
			continue;
		}
		/* The checks above are shadow verdicts; this one was the kernel's. */
		if (i == CHECK_KERNEL)
			fprintf(r->out, "\n%-11s %8s %8s %8s %8s\n", "answered by", "failed",
				"real", "spurious", "missed");
		fprintf(r->out, "%-11s %8s %8s %8s %8s", check_names[i], N(c->eagain), N(c->real),
			N(c->spurious), N(c->missed));
		print_spurious(r->out, c->spurious, reached);
	}
}

static void print_answer(const struct report *r, const struct counters *c, double elapsed)
{
	const struct totals *t = &c->totals;
	const struct check_totals *mm = &t->checks[CHECK_PER_MM_SEQ];
	__u64 real = windows_of_classes(t, CLASSES_CHANGED);
	__u64 reached = windows_reached(t);

	if (!reached)
		return;
	fprintf(r->out, "\nOf %s windows, %s really changed;\n", N(reached), N(real));
	if (report_tells_check(r, CHECK_PER_MM_SEQ))
		fprintf(r->out, "a per-MM check would needlessly fail %s of them, %.3g a second.\n",
			N(mm->spurious), elapsed > 0 ? (double)mm->spurious / elapsed : 0);
	else
		fprintf(r->out,
			"%s others had a writer of the mm. This kernel has no mm_lock_seq.\n",
			N(reached - real - windows_of_class(t, CLASS_QUIET)));
	text_per_mm(r, c);
	print_reasons(r, "snapshot differs", snapshot_reason_names, t->snapshot_reasons,
		      NR_SNAPSHOT_REASONS);
	print_reasons(r, "meaning differs", meaning_reason_names, t->meaning_reasons,
		      NR_MEANING_REASONS);
	print_reasons(r, "tolerated", tolerated_reason_names, t->tolerated_reasons,
		      NR_TOLERATED_REASONS);
	if (t->file_unsure)
		fprintf(r->out, "%-18s%s windows: another file may be at the old address\n",
			"file unsure", N(t->file_unsure));
	if (t->odd_start)
		fprintf(r->out, "%-18s%s windows began inside a write section\n", "odd start",
			N(t->odd_start));
}

/* The runs that the kernel skipped, and what may be missing because of them. */
static void print_skipped(const struct report *r, const struct counters *c)
{
	static const char *const missing[NR_SKIP_COSTS] = {
		[COSTS_WINDOW] = "windows",
		[COSTS_CALL] = "calls and their results",
		[COSTS_PAGES] = "calls' pages",
		[COSTS_UNMAP] = "unmaps (replaced looks tolerated)",
		[COSTS_CHILD] = "children of COMMAND",
	};

	if (!c->recursion)
		return;
	fprintf(r->out,
		"The kernel skipped %s runs of our programs, because they were preempted.\n",
		N(c->recursion));
	for (int i = 0; i < NR_SKIP_COSTS; i++)
		if (missing[i] && c->skipped[i])
			fprintf(r->out, "WARNING: at most %s are missing: %s\n", N(c->skipped[i]),
				missing[i]);
	if (!c->skipped[COSTS_WINDOW] && !c->totals.lost[LOST_WINDOWS])
		fprintf(r->out, "No window is missing.\n");
}

/* A line for each loss; how many facts are lost altogether. */
static __u64 print_lost(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	const struct {
		__u64 n;
		const char *what;
	} losses[] = {
		{ t->lost[LOST_EVENTS], "events lost: they came faster than they were read" },
		{ failures_unexplained(&c->failures), "failures have no cause: a fact was lost" },
		{ c->failures.holders_lost, "holders of mmap_changing found no place" },
		{ c->failures.chains_lost, "chains of failures found no place" },
		{ r->writers ? t->writers.other : 0,
		  "write sections: their writer found no place" },
	};
	__u64 undetermined = windows_of_class(t, CLASS_UNDETERMINED), lost = undetermined;

	if (undetermined || t->lost[LOST_WINDOWS] || t->lost[LOST_MAP_FULL])
		fprintf(r->out, "WARNING: %s undetermined; the end was lost: %s; no memory: %s\n",
			N(undetermined), N(t->lost[LOST_WINDOWS]), N(t->lost[LOST_MAP_FULL]));
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		lost += losses[i].n;
		if (losses[i].n)
			fprintf(r->out, "WARNING: %s %s\n", N(losses[i].n), losses[i].what);
	}
	print_skipped(r, c);
	return lost + t->lost[LOST_WINDOWS] + t->lost[LOST_MAP_FULL] + c->recursion;
}

static void print_trust(const struct report *r, const struct counters *c)
{
	const __u64 anomalies = c->totals.anomalies;
	const bool failed = !strcmp(r->self_test, "failed");

	fprintf(r->out, "\n");
	if (anomalies)
		fprintf(r->out,
			"WARNING: %s anomalies: facts that contradict each other; please report\n",
			N(anomalies));
	if (failed)
		fprintf(r->out, "WARNING: the self-test failed: do not trust these numbers\n");
	if (!print_lost(r, c) && !failed && !anomalies)
		fprintf(r->out, "nothing lost, 0 anomalies\n");
}

int text_start(const struct report *r)
{
	char who[56];

	target_text(r, who, sizeof(who));
	signals_let_in(true);
	fprintf(stderr, "Tracing UFFDIO_COPY of %s%s (plan %s, self-test %s). Ctrl-C ends.\n", who,
		r->in_pid_ns && r->target && r->target->nr ? " of this pid namespace" : "", r->plan,
		r->self_test);
	signals_let_in(false);
	return 0;
}

int text_self_test(const struct report *r, const struct self_test *t)
{
	fprintf(r->out, "plan %s: self-test %s, %d windows\n", r->plan, r->self_test, t->windows);
	return report_flush(r);
}

int text_summary(const struct report *r, const struct span *s)
{
	print_head(r, s);
	print_copies(r, &s->counters->totals);
	print_windows(r, s->counters);
	print_classes(r, s->counters);
	print_checks(r, &s->counters->totals);
	print_answer(r, s->counters, s->elapsed_s);
	text_begin(r, s->counters);
	text_relock(r, s->counters);
	text_failures(r->out, s);
	text_chains(r->out, s->counters);
	text_writers(r, s->counters);
	if (r->claims)
		text_claims(r, s->counters);
	if (r->overhead)
		text_overhead(r, s);
	print_trust(r, s->counters);
	text_advice(r, s);
	return report_flush(r);
}

/* One line. The head is repeated every 20 lines, because the screen scrolls. */
int text_interval(const struct report *r, const struct span *s)
{
	static unsigned int lines;
	const struct totals *t = &s->counters->totals;
	struct hist h;

	if (lines++ % 20 == 0)
		fprintf(r->out, "%*s%8s %8s %6s %8s %6s %6s %8s %6s %6s\n", r->timestamp ? 9 : 0,
			"", "copies", "pages", "EAGAIN", "windows", "real", "hidden", "spur(mm)",
			"p50", "p99");
	/* We were stopped, or the reader did not read. */
	if (r->interval_s > 0 && s->elapsed_s > 1.5 * r->interval_s)
		fprintf(r->out, "in %.1f s:\n", s->elapsed_s);
	hist_of_class(s->counters, NR_CLASSES, &h);
	print_time(r);
	fprintf(r->out, "%8s %8s %6s %8s %6s %6s %8s %6s %6s\n", N(t->calls), N(pages_of(t->bytes)),
		COUNT_IN(t->returned[EAGAIN], 6), N(windows_total(t)),
		COUNT_IN(windows_of_class(t, CLASS_REAL), 6),
		COUNT_IN(windows_of_class(t, CLASS_HIDDEN), 6),
		report_tells_check(r, CHECK_PER_MM_SEQ) ? N(t->checks[CHECK_PER_MM_SEQ].spurious)
							: "-",
		hist_count(&h) ? DURATION(hist_quantile(&h, 0.5)) : "-",
		hist_count(&h) ? DURATION(hist_quantile(&h, 0.99)) : "-");
	return report_flush(r);
}
