// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The report for people: at most 80 columns, the answer at a glance. */
#include "report.h"
#include "totals.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define U64 "%llu"

static double share(__u64 k, __u64 n)
{
	return n ? (double)k / (double)n : 0;
}

/* A share as "12.3%", with enough digits that a small one does not read as zero. */
static const char *percent(double p, char *text, size_t size)
{
	p *= 100;
	snprintf(text, size, p == 0 || p >= 99.95 ? "%.0f%%" : p < 0.0995 ? "%.2g%%" : "%.1f%%", p);
	return text;
}

/* A duration with a unit, three digits. */
static const char *duration(__u64 ns, char *text, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double value = (double)ns;
	int unit = 0;

	while (value >= 999.5 && unit < 3) {
		value /= 1000;
		unit++;
	}
	snprintf(text, size,
		 unit == 0 || value >= 99.95 ? "%.0f%s"
		 : value >= 9.995	     ? "%.1f%s"
					     : "%.2f%s",
		 value, units[unit]);
	return text;
}

static const char *bytes(__u64 n, char *text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)n;
	int unit = 0;

	while (value >= 1024 && unit < 4) {
		value /= 1024;
		unit++;
	}
	snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

static void print_time(const struct report *r)
{
	char text[32];
	time_t now = time(NULL);

	if (r->timestamp && strftime(text, sizeof(text), "%H:%M:%S ", localtime(&now)))
		fputs(text, r->out);
}

static void print_head(const struct report *r, const struct span *s)
{
	char who[56];
	struct utsname uts;

	target_text(r, who, sizeof(who));
	uname(&uts);
	print_time(r);
	fprintf(r->out, "UFFDIO_COPY of %s, %.1f s\n", who, s->elapsed_s);
	fprintf(r->out, "kernel %s, plan %s (%s), self-test %s\n\n", uts.release, r->plan->name, r->plan->exactness,
		r->self_test);
}

static void print_copies(const struct report *r, const struct totals *t)
{
	char text[32];
	int column = 0;

	fprintf(r->out, "copies    " U64 " calls, " U64 " pages, %s\n", t->calls, t->bytes / 4096,
		bytes(t->bytes, text, sizeof(text)));
	fprintf(r->out, "returned  ");
	for (unsigned int e = 0; e < NR_RETURNED; e++) {
		if ((!t->returned[e] && e) || !returned_name(e))
			continue;
		if (column > 50) {
			fprintf(r->out, ",\n          ");
			column = 0;
		}
		column += fprintf(r->out, "%s" U64 " %s", column ? ", " : "", t->returned[e], returned_name(e));
	}
	fputc('\n', r->out);
}

static void print_windows(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	__u64 total = windows_total(t), pages = t->bytes / 4096;

	fprintf(r->out, "windows   " U64 " (", total);
	if (pages)
		fprintf(r->out, "%.3g a page copied; ", share(total, pages));
	for (int kind = 0; kind < KIND_HUGETLB; kind++) {
		__u64 n = 0;

		for (int class = 0; class < NR_CLASSES; class ++)
			n += t->windows[kind][class];
		fprintf(r->out, "%s" U64 " %s", kind ? ", " : "", n, kind_names[kind]);
	}
	fprintf(r->out, "; " U64 " by an external handler)\n", t->external);
	if (c->open)
		fprintf(r->out, "          " U64 " more still open\n", c->open);
}

static void print_class(const struct report *r, const struct counters *c, enum window_class class)
{
	__u64 n = windows_of_class(&c->totals, class), total = windows_total(&c->totals);
	char p[16], d50[16], d99[16], dmax[16];
	struct hist h;

	hist_of_class(c, class, &h);
	fprintf(r->out, "%-12s %-29s %9llu %6s", class_names[class], class_meanings[class], n,
		percent(share(n, total), p, sizeof(p)));
	if (n && hist_count(&h))
		fprintf(r->out, " %6s %6s %6s", duration(hist_quantile(&h, 0.5), d50, sizeof(d50)),
			duration(hist_quantile(&h, 0.99), d99, sizeof(d99)),
			duration(hist_quantile(&h, 1), dmax, sizeof(dmax)));
	fputc('\n', r->out);
}

/* All classes that tell the story are shown also when empty; the failures to re-take and the undetermined only when
 * not. */
static void print_classes(const struct report *r, const struct counters *c)
{
	fprintf(r->out, "\n%-12s %-29s %9s %6s %6s %6s %6s\n", "class", "", "windows", "share", "p50", "p99", "max");
	for (int class = 0; class < NR_CLASSES; class ++)
		if (class <= CLASS_REAL || windows_of_class(&c->totals, (enum window_class) class))
			print_class(r, c, (enum window_class) class);
}

static void print_reasons(const struct report *r, const char *title, const char *const *names, const __u64 *counts,
			  int nr)
{
	bool any = false;

	for (int i = 0; i < nr; i++) {
		if (!counts[i])
			continue;
		if (!any)
			fprintf(r->out, "%-18s", title);
		fprintf(r->out, "%s%s " U64, any ? ", " : "", names[i], counts[i]);
		any = true;
	}
	if (any)
		fputc('\n', r->out);
}

/* The share of spurious EAGAIN with its 95 % interval, or the bound that none in n proves. */
static void print_spurious(FILE *out, __u64 k, __u64 n, double elapsed)
{
	char a[16], b[16], c[16];
	double low, high;

	wilson(k, n, &low, &high);
	if (!n)
		fprintf(out, "  no window to judge by");
	else if (!k)
		fprintf(out, "  < %s (0 of " U64 ")", percent(high, a, sizeof(a)), n);
	else
		fprintf(out, "  %s (%s ... %s), %.3g/s", percent(share(k, n), a, sizeof(a)), percent(low, b, sizeof(b)),
			percent(high, c, sizeof(c)), elapsed > 0 ? (double)k / elapsed : 0);
	fputc('\n', out);
}

static void print_checks(const struct report *r, const struct totals *t, double elapsed)
{
	__u64 reached = windows_reached(t);

	fprintf(r->out, "\n%-12s %8s %8s %8s %8s  %s\n", "check", "EAGAIN", "real", "spurious", "missed",
		"spurious share (95 % interval)");
	for (int i = 0; i < NR_CHECKS; i++) {
		const struct check_totals *c = &t->checks[i];

		fprintf(r->out, "%-12s %8llu %8llu %8llu %8llu", check_names[i], c->eagain, c->real, c->spurious,
			c->missed);
		print_spurious(r->out, c->spurious, reached, elapsed);
	}
}

static void print_answer(const struct report *r, const struct totals *t)
{
	const struct check_totals *mm = &t->checks[CHECK_PER_MM_SEQ];
	__u64 real = windows_of_class(t, CLASS_REAL) + windows_of_class(t, CLASS_HIDDEN);
	__u64 reached = windows_reached(t);

	if (!reached)
		return;
	fprintf(r->out,
		"\nOf " U64 " windows, " U64 " really changed; a per-MM check would have failed " U64 " for nothing.\n",
		reached, real, mm->spurious);
	print_reasons(r, "snapshot differs", snapshot_reason_names, t->snapshot_reasons, NR_SNAPSHOT_REASONS);
	print_reasons(r, "meaning differs", meaning_reason_names, t->meaning_reasons, NR_MEANING_REASONS);
	print_reasons(r, "tolerated", tolerated_reason_names, t->tolerated_reasons, NR_TOLERATED_REASONS);
	if (t->odd_start)
		fprintf(r->out, "odd start         " U64 " windows opened while a writer was in\n", t->odd_start);
}

static void print_trust(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	__u64 lost = t->lost[LOST_WINDOWS] + t->lost[LOST_MAP_FULL] + c->recursion;

	fprintf(r->out, "\n");
	if (t->anomalies)
		fprintf(r->out, "WARNING: " U64 " anomalies: facts that contradict each other; please report\n",
			t->anomalies);
	if (!strcmp(r->self_test, "failed"))
		fprintf(r->out, "WARNING: the self-test failed: do not trust these numbers\n");
	if (t->lost[LOST_WINDOWS] || t->lost[LOST_MAP_FULL])
		fprintf(r->out, "WARNING: undetermined for a missed end " U64 ", for want of memory " U64 "\n",
			t->lost[LOST_WINDOWS], t->lost[LOST_MAP_FULL]);
	if (c->recursion)
		fprintf(r->out,
			"WARNING: not exact: the kernel skipped " U64 " runs of our programs (preempted ones);\n"
			"         counts may be short by as many\n",
			c->recursion);
	if (!lost)
		fprintf(r->out, "nothing lost, " U64 " anomalies\n", t->anomalies);
}

int text_summary(const struct report *r, const struct span *s)
{
	print_head(r, s);
	print_copies(r, &s->counters->totals);
	print_windows(r, s->counters);
	print_classes(r, s->counters);
	print_checks(r, &s->counters->totals, s->elapsed_s);
	print_answer(r, &s->counters->totals);
	print_trust(r, s->counters);
	return fflush(r->out) || ferror(r->out) ? -1 : 0;
}

/* One line; the headings come again every 20 lines, as a screen scrolls. */
int text_interval(const struct report *r, const struct span *s)
{
	static unsigned int lines;
	const struct totals *t = &s->counters->totals;
	char p50[16] = "-", p99[16] = "-";
	struct hist h;

	if (lines++ % 20 == 0)
		fprintf(r->out, "%*s%8s %8s %6s %8s %6s %6s %8s %6s %6s\n", r->timestamp ? 9 : 0, "", "copies", "pages",
			"EAGAIN", "windows", "real", "hidden", "spur(mm)", "p50", "p99");
	hist_of_class(s->counters, NR_CLASSES, &h);
	if (hist_count(&h)) {
		duration(hist_quantile(&h, 0.5), p50, sizeof(p50));
		duration(hist_quantile(&h, 0.99), p99, sizeof(p99));
	}
	print_time(r);
	fprintf(r->out, "%8llu %8llu %6llu %8llu %6llu %6llu %8llu %6s %6s\n", t->calls, t->bytes / 4096,
		t->returned[EAGAIN], windows_total(t), windows_of_class(t, CLASS_REAL),
		windows_of_class(t, CLASS_HIDDEN), t->checks[CHECK_PER_MM_SEQ].spurious, p50, p99);
	return fflush(r->out) || ferror(r->out) ? -1 : 0;
}
