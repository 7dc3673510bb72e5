// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* What a per-MM check would cost: see per_mm.h. */
#include "report/sections/per_mm.h"
#include "counters/counters.h"
#include "report/format.h"
#include "report/sections/answer.h"
#include "sys/json_lines.h"

#include <math.h>

#define NS_PER_S 1e9
#define MILLION 1e6

/* NAN: not known. A copy is a call of UFFDIO_COPY, of however many pages. */
struct per_mm {
	double sections; /* S, a second */
	double window;	 /* W, in ns, without a wait for a writer */
	double hold;	 /* D, in ns */
	double counted;	 /* needless EAGAIN a million copies */
	double modelled;
};

static double ratio(double part, double of)
{
	return of > 0 ? part / of : NAN;
}

static double sections_per_s(const struct totals *t)
{
	/* Each section moves a seqcount twice: odd, and even again. */
	return ratio((double)t->passed_steps / 2 * NS_PER_S, (double)t->passed_ns);
}

/* Nobody waited in a window in which no write section ended. */
static double window_ns(const struct counters *c)
{
	struct hist quiet;

	hist_of_class(c, CLASS_QUIET, &quiet);
	return ratio((double)quiet.sum, (double)hist_count(&quiet));
}

/* P(a write section begins or ends in a window): it may have begun up to @before ns earlier. */
static double meets(const struct per_mm *p, double before)
{
	return 1 - exp(-p->sections * (p->window + before) / NS_PER_S);
}

/*
 * A copier in the destination's process waits in its source fault for a writer that is in; one
 * elsewhere does not. Windows whose page really changed are needed EAGAIN.
 */
static double modelled(const struct per_mm *p, const struct totals *t)
{
	const double elsewhere = ratio((double)t->external, (double)windows_total(t));
	const __u64 unchanged = windows_reached(t) - windows_of_classes(t, CLASSES_CHANGED);

	/* Then nothing ever fails, and there is no D to measure. */
	if (p->sections == 0)
		return 0;
	return MILLION * ratio((double)unchanged, (double)t->calls) *
	       ((1 - elsewhere) * meets(p, p->hold) +
		elsewhere * meets(p, p->hold < p->window ? p->hold : p->window));
}

static struct per_mm per_mm_of(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	const __u64 needless = t->checks[CHECK_PER_MM_SEQ].spurious;
	struct per_mm p = {
		.sections = sections_per_s(t),
		.window = window_ns(c),
		.hold = ratio((double)t->held_ns, (double)t->held),
		.counted = NAN,
	};

	if (report_tells_check(r, CHECK_PER_MM_SEQ))
		p.counted = MILLION * ratio((double)needless, (double)t->calls);
	p.modelled = modelled(&p, t);
	return p;
}

/* As a whole number from a thousand on. */
static const char *rate_text(double n, char *text, size_t size)
{
	if (!(n < 0x1p63))
		return "unknown";
	if (n >= 999.5)
		return format_count((__u64)(n + 0.5), 8, text, size);
	snprintf(text, size, "%.3g", n);
	return text;
}

static const char *mean_text(double ns, char *text, size_t size)
{
	return ns < 0x1p63 ? format_duration((__u64)ns, text, size) : "unknown";
}

#define RATE(n) FORMAT(rate_text, n)
#define MEAN(ns) FORMAT(mean_text, ns)

/* No window came to the check: by the rule of three fewer than 3 of the copies would have failed. */
static void print_no_window(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	const char *windows = windows_total(t) ? "no retry window that came to a check"
					       : "no retry window";
	double low, high;

	if (windows_missing(c)) {
		answer(r->out, "PER-MM", "unknown: %s windows are missing at most",
		       N(windows_missing(c)));
		return;
	}
	if (c->rehooks) {
		answer(r->out, "PER-MM", "unknown: other tracers may have cost calls");
		return;
	}
	if (!t->calls) {
		answer(r->out, "PER-MM", "unknown: no copy was seen");
		return;
	}
	wilson(0, t->calls, &low, &high);
	answer(r->out, "PER-MM", "%s copies, %s: a per-MM check could fail < %s of copies",
	       N(t->calls), windows, PERCENT(high));
}

/*
 * Copies that fail for another reason, in a loop, make any rate small: then that of the others. Of no
 * case the upper bound.
 */
static void per_copy_text(const struct totals *t, __u64 k, char *text, size_t size)
{
	const __u64 good = t->returned[0];
	const bool few = good && good < t->calls / 2;
	const __u64 of = few ? good : t->calls;
	double low, high;

	wilson(0, of, &low, &high);
	snprintf(text, size, "%s%s of a million %scopies", k ? "" : "< ",
		 RATE(MILLION * (k ? ratio((double)k, (double)of) : high)),
		 few ? "successful " : "");
}

void text_per_mm_answer(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	const __u64 reached = windows_reached(t), k = t->checks[CHECK_PER_MM_SEQ].spurious;
	/* Others were refused, or gone, before a check. */
	const char *checked = reached < windows_total(t) ? "checked " : "";
	double low, high;
	char per_copy[64];

	if (!report_tells_check(r, CHECK_PER_MM_SEQ)) {
		answer(r->out, "PER-MM", "not on this kernel: it has no mm_lock_seq");
		return;
	}
	if (!reached) {
		print_no_window(r, c);
		return;
	}
	wilson(k, reached, &low, &high);
	per_copy_text(t, k, per_copy, sizeof(per_copy));
	if (k)
		answer(r->out, "PER-MM",
		       "a per-MM check would needlessly fail %s%s: %s of %s %sretry windows, %s (95 %%: %s ... %s)",
		       r->exact ? "" : "at most ", per_copy, N(k), N(reached), checked,
		       PERCENT(share_of(k, reached)), PERCENT(low), PERCENT(high));
	else
		answer(r->out, "PER-MM",
		       "a per-MM check would needlessly fail none of %s %sretry windows (95 %%: < %s, %s)",
		       N(reached), checked, PERCENT(high), per_copy);
}

void text_per_mm(const struct report *r, const struct counters *c)
{
	const struct per_mm p = per_mm_of(r, c);

	if (!report_tells_check(r, CHECK_PER_MM_SEQ))
		return;
	fprintf(r->out, "%-18s%s needless EAGAIN a million copies, modelled %s\n", "per-MM check",
		RATE(p.counted), RATE(p.modelled));
	fprintf(r->out, "%-18sS %s write sections/s, W %s, D %s%s\n", "", RATE(p.sections),
		MEAN(p.window), MEAN(p.hold), r->relock ? "" : " (--relock)");
}

/* What a quotient is made of; null where that is. */
static void add_part(struct json_object *o, const char *key, __u64 part, double quotient)
{
	if (isnan(quotient))
		add_null(o, key);
	else
		add_u64(o, key, part);
}

void json_per_mm(struct json_object *o, const struct report *r, const struct counters *c)
{
	const struct per_mm p = per_mm_of(r, c);
	struct json_object *per_mm = add_object(o, "per_mm");
	struct hist quiet;

	/* add_double() makes null of NAN. */
	add_double(per_mm, "sections_per_s", p.sections);
	add_double(per_mm, "window_ns", p.window);
	add_double(per_mm, "hold_ns", p.hold);
	add_double(per_mm, "needless_per_million_copies", p.counted);
	add_double(per_mm, "modelled_per_million_copies", p.modelled);
	hist_of_class(c, CLASS_QUIET, &quiet);
	add_part(per_mm, "passed_ns", c->totals.passed_ns, p.sections);
	add_part(per_mm, "passed_steps", c->totals.passed_steps, p.sections);
	add_part(per_mm, "quiet_ns", quiet.sum, p.window);
	add_part(per_mm, "held", c->totals.held, p.hold);
	add_part(per_mm, "held_ns", c->totals.held_ns, p.hold);
}
