// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The report for people: the answers first, at most 80 columns. */
#include "report/text.h"
#include "counters/counters.h"
#include "report/sections/advice.h"
#include "report/sections/chains.h"
#include "report/sections/claims.h"
#include "report/sections/durations.h"
#include "report/sections/eagain.h"
#include "report/sections/failures.h"
#include "report/sections/idle.h"
#include "report/format.h"
#include "report/sections/overhead.h"
#include "report/sections/per_mm.h"
#include "report/sections/stacks.h"
#include "report/sections/targets.h"
#include "report/sections/trust.h"
#include "report/sections/windows.h"
#include "report/sections/writers.h"
#include "report/sections/wrong.h"
#include "sys/stderr.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

static void print_time(const struct report *r)
{
	char text[32];
	time_t now = r->time ?: time(NULL);

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
	fprintf(r->out, "kernel %.50s, its check: %s\n\n", r->kernel ?: uts.release,
		r->kernel_check);
}

static void print_copies(const struct report *r, const struct totals *t)
{
	struct list l = { .out = r->out, .indent = 10 };
	char text[64];

	fprintf(r->out, "\ncopies    %s calls, %s pages, %s\n", N(t->calls), N(pages_of(t->bytes)),
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
	if (t->odd_start)
		fprintf(r->out, "%-18s%s windows began inside a write section\n", "odd start",
			N(t->odd_start));
}

int text_start(const struct report *r)
{
	char who[56];

	target_text(r, who, sizeof(who));
	if (stderr_begin())
		fprintf(stderr,
			"Tracing UFFDIO_COPY of %s%s (plan %s, self-test %s). Ctrl-C ends.\n", who,
			r->in_pid_ns && r->target && r->target->nr ? " of this pid namespace" : "",
			r->plan, r->self_test);
	stderr_end();
	return 0;
}

int text_self_test(const struct report *r, const struct self_test *t)
{
	fprintf(r->out, "plan %s: self-test %s, %d windows\n", r->plan, r->self_test, t->windows);
	return report_flush(r);
}

/* The first screen: at most 24 lines, the most important first. */
static void print_answers(const struct report *r, const struct span *s)
{
	print_head(r, s);
	if (nothing_happened(s->counters)) {
		text_idle(r, s);
	} else {
		/* Nothing is worse than pages filled wrongly. */
		const bool wrong = s->counters->totals.checks[CHECK_KERNEL].missed;

		if (wrong)
			text_wrong(r, s);
		text_eagain(r, s);
		text_per_mm_answer(r, s->counters);
		if (!wrong)
			text_wrong(r, s);
	}
	text_trust(r, s->counters);
}

int text_summary(const struct report *r, const struct span *s)
{
	const struct counters *c = s->counters;

	print_answers(r, s);
	text_targets(r, s);
	if (r->verbose) {
		print_copies(r, &c->totals);
		print_windows(r, c);
	}
	text_classes(r, c);
	text_checks(r, &c->totals);
	if (r->verbose)
		print_answer(r, c, s->elapsed_s);
	text_reasons(r, &c->totals);
	text_begin(r, c);
	text_relock(r, c);
	text_failures(r, s);
	text_writers(r, c);
	text_lengths(r, c);
	text_chains(r, c);
	if (r->claims)
		text_claims(r, c);
	if (r->overhead)
		text_overhead(r, s);
	text_advice(r, s);
	text_stacks(r, s);
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
	/* We were stopped, or the reader did not read; or the run ended before its time. */
	if (r->interval_s > 0 &&
	    (s->elapsed_s > 1.5 * r->interval_s || s->elapsed_s < 0.9 * r->interval_s))
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
