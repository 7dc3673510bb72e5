// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The report for people: at most 80 columns, the answer at a glance. */
#include "report/report.h"
#include "report/failures.h"
#include "counters/counters.h"

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

/* @n in at most @width (6 or more) characters: exact where it fits, else three digits and a unit. */
static const char *count(__u64 n, int width, char *text, size_t size)
{
	static const char units[] = " kMGTPE";
	double value = (double)n;
	int unit = 0;

	if (snprintf(text, size, U64, n) <= width)
		return text;
	while (value >= 999.5) {
		value /= 1000;
		unit++;
	}
	snprintf(text, size, "%.3g%c", value, units[unit]);
	return text;
}
const char *text_count(__u64 n, char *text, size_t size)
{
	return count(n, 8, text, size);
}

#define COUNT(n, width) count(n, width, (char[24]) { 0 }, 24)
#define N(n) COUNT(n, 8)

/* A list that goes on in the next line, @indent deep, where it would leave the screen. */
struct list {
	FILE *out;
	int indent;
	int column; /* 0 before the first item, whose line is indented already */
};

static void list_add(struct list *l, const char *text)
{
	int len = (int)strlen(text);

	if (!l->column) {
		l->column = l->indent;
	} else if (l->column + len + 3 > 80) {
		fprintf(l->out, ",\n%*s", l->indent, "");
		l->column = l->indent;
	} else {
		l->column += fprintf(l->out, ", ");
	}
	l->column += fprintf(l->out, "%s", text);
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

	fprintf(r->out, "copies    %s calls, %s pages, %s\n", N(t->calls), N(t->bytes / 4096),
		bytes(t->bytes, text, sizeof(text)));
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
	__u64 total = windows_total(t), pages = t->bytes / 4096;

	fprintf(r->out, "windows   %s", N(total));
	if (pages)
		fprintf(r->out, " (%.3g a page copied)", share(total, pages));
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
	char p[16], d50[16], d99[16], dmax[16];
	struct hist h;

	if (!report_tells_class(r, class)) {
		fprintf(r->out, "%-12s not on this kernel\n", class_names[class]);
		return;
	}
	hist_of_class(c, class, &h);
	fprintf(r->out, "%-12s %-29s %9s %6s", class_names[class], class_meanings[class], N(n),
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
	for (int i = 0; i < NR_CLASSES; i++)
		if (i <= CLASS_REAL || windows_of_class(&c->totals, (enum window_class)i))
			print_class(r, c, (enum window_class)i);
}

static void print_reasons(const struct report *r, const char *title, const char *const *names, const __u64 *counts,
			  int nr)
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

/* The share of spurious EAGAIN with its 95 % interval, or the bound that none in n proves. */
static void print_spurious(FILE *out, __u64 k, __u64 n)
{
	char a[16], b[16], c[16];
	double low, high;

	wilson(k, n, &low, &high);
	if (!n)
		fprintf(out, "  no window to judge by");
	else if (!k)
		fprintf(out, "  < %s (0 of %s)", percent(high, a, sizeof(a)), N(n));
	else
		fprintf(out, "  %s (%s ... %s)", percent(share(k, n), a, sizeof(a)), percent(low, b, sizeof(b)),
			percent(high, c, sizeof(c)));
	fputc('\n', out);
}

static void print_checks(const struct report *r, const struct totals *t)
{
	__u64 reached = windows_reached(t);

	fprintf(r->out, "\n%-11s %8s %8s %8s %8s  %s\n", "check", "EAGAIN", "real", "spurious", "missed",
		"spurious share (95 % interval)");
	for (int i = 0; i < NR_CHECKS; i++) {
		const struct check_totals *c = &t->checks[i];

		if (!report_tells_check(r, (enum check)i)) {
			fprintf(r->out, "%-11s not on this kernel\n", check_names[i]);
			continue;
		}
		fprintf(r->out, "%-11s %8s %8s %8s %8s", check_names[i], N(c->eagain), N(c->real), N(c->spurious),
			N(c->missed));
		print_spurious(r->out, c->spurious, reached);
	}
}

static void print_answer(const struct report *r, const struct totals *t, double elapsed)
{
	const struct check_totals *mm = &t->checks[CHECK_PER_MM_SEQ];
	__u64 real = windows_of_class(t, CLASS_REAL) + windows_of_class(t, CLASS_HIDDEN);
	__u64 reached = windows_reached(t);

	if (!reached)
		return;
	fprintf(r->out, "\nOf %s windows, %s really changed;\n", N(reached), N(real));
	if (report_tells_check(r, CHECK_PER_MM_SEQ))
		fprintf(r->out, "a per-MM check would have failed %s for nothing, %.3g a second.\n", N(mm->spurious),
			elapsed > 0 ? (double)mm->spurious / elapsed : 0);
	else
		fprintf(r->out, "in %s others somebody wrote to the mm. This kernel has no mm_lock_seq.\n",
			N(reached - real - windows_of_class(t, CLASS_QUIET)));
	print_reasons(r, "snapshot differs", snapshot_reason_names, t->snapshot_reasons, NR_SNAPSHOT_REASONS);
	print_reasons(r, "meaning differs", meaning_reason_names, t->meaning_reasons, NR_MEANING_REASONS);
	print_reasons(r, "tolerated", tolerated_reason_names, t->tolerated_reasons, NR_TOLERATED_REASONS);
	if (t->odd_start)
		fprintf(r->out, "%-18s%s windows opened while a writer was in\n", "odd start", N(t->odd_start));
}

/* How much the early begin of a plan can have meant, where a later bound was seen as well. */
static void print_begin(const struct report *r, const struct counters *c)
{
	char p50[16], p99[16], max[16];

	if (!c->totals.begin_bounded)
		return;
	fprintf(r->out, "%-18sat most p50 %s, p99 %s, max %s, in %s windows;\n", "begin early",
		duration(hist_quantile(&c->begin, 0.5), p50, sizeof(p50)),
		duration(hist_quantile(&c->begin, 0.99), p99, sizeof(p99)),
		duration(hist_quantile(&c->begin, 1), max, sizeof(max)), N(c->totals.begin_bounded));
	fprintf(r->out, "%-18smm_lock_seq moved in that time in %s of them\n", "", N(c->totals.begin_moved));
}

static void print_relock_line(const struct report *r, const char *what, const struct hist *h)
{
	char p50[16], p99[16], max[16];

	fprintf(r->out, "%-18s%s", what, N(hist_count(h)));
	if (hist_count(h))
		fprintf(r->out, " times: p50 %s, p99 %s, max %s", duration(hist_quantile(h, 0.5), p50, sizeof(p50)),
			duration(hist_quantile(h, 0.99), p99, sizeof(p99)),
			duration(hist_quantile(h, 1), max, sizeof(max)));
	fputc('\n', r->out);
}

/* How long taking the lock again took, all of it and where the VMA's own lock was not to be had. */
static void print_relock(const struct report *r, const struct counters *c)
{
	struct hist all;

	if (!r->relock)
		return;
	hist_of_relocks(c, &all);
	fputc('\n', r->out);
	print_relock_line(r, "VMA taken again", &all);
	print_relock_line(r, "  by mmap_lock", &c->relock[RELOCK_MMAP_LOCK]);
}

#define TOP_WRITERS 8

static void print_writer(const struct report *r, const struct writer_entry *e, const struct writer_counts *counts)
{
	struct writer_text text;
	char all[192], what[31], comm[16];

	writer_describe(&e->key, &text);
	snprintf(all, sizeof(all), "%s%s%s%s", text.op, text.advice[0] || text.flags[0] ? " " : "", text.advice,
		 text.flags);
	printable(what, sizeof(what), all);
	printable(comm, sizeof(comm), text.comm);
	fprintf(r->out, "%-30s %-15s %10u %-6s %7s %6s\n", what, comm, e->key.tgid, e->key.covers ? "dst" : "",
		COUNT(counts->windows, 6), COUNT(counts->sections, 6));
}

/* Who wrote to the mm while a window was open: the first few. */
static void print_writers(const struct report *r, const struct counters *c)
{
	const struct writer_totals *t = &c->totals.writers;
	int ids[MAX_WRITERS], nr;

	if (!r->writers || !t->windows)
		return;
	nr = writers_sort(c->writers, r->writers, ids);
	fprintf(r->out, "\n%-30s %-15s %10s %-6s %7s %6s\n", "writers of the mm in windows", "comm", "pid", "covers",
		"windows", "locks");
	for (int i = 0; i < nr && i < TOP_WRITERS; i++)
		print_writer(r, &r->writers[ids[i]], &c->writers[ids[i]]);
	if (nr > TOP_WRITERS)
		fprintf(r->out, "and %d more; -j has them all\n", nr - TOP_WRITERS);
	fprintf(r->out, "%s write sections in %s windows; not seen whose: %s\n", N(t->sections),
		N(t->windows), N(t->unseen));
	if (t->other)
		fprintf(r->out, "%s more of writers that the list has no room for\n", N(t->other));
}

static void print_trust(const struct report *r, const struct counters *c)
{
	const struct totals *t = &c->totals;
	__u64 lost = t->lost[LOST_WINDOWS] + t->lost[LOST_MAP_FULL] + c->recursion;

	fprintf(r->out, "\n");
	if (t->anomalies)
		fprintf(r->out, "WARNING: %s anomalies: facts that contradict each other; please report\n",
			N(t->anomalies));
	if (!strcmp(r->self_test, "failed"))
		fprintf(r->out, "WARNING: the self-test failed: do not trust these numbers\n");
	if (t->lost[LOST_WINDOWS] || t->lost[LOST_MAP_FULL])
		fprintf(r->out, "WARNING: undetermined for a missed end %s, for want of memory %s\n",
			N(t->lost[LOST_WINDOWS]), N(t->lost[LOST_MAP_FULL]));
	if (t->lost[LOST_EVENTS])
		fprintf(r->out, "WARNING: %s windows have no event: they came faster than they were read\n",
			N(t->lost[LOST_EVENTS]));
	if (c->recursion)
		fprintf(r->out,
			"WARNING: not exact: the kernel skipped %s runs of our programs\n"
			"         (preempted ones); counts may be short by as many\n",
			N(c->recursion));
	if (!lost)
		fprintf(r->out, "nothing lost, %s anomalies\n", N(t->anomalies));
}

int text_summary(const struct report *r, const struct span *s)
{
	print_head(r, s);
	print_copies(r, &s->counters->totals);
	print_windows(r, s->counters);
	print_classes(r, s->counters);
	print_checks(r, &s->counters->totals);
	print_answer(r, &s->counters->totals, s->elapsed_s);
	print_begin(r, s->counters);
	print_relock(r, s->counters);
	text_failures(r->out, s->counters, s->holders, s->nr_holders);
	print_writers(r, s->counters);
	if (r->claims)
		text_claims(r, s->counters);
	if (r->overhead)
		text_overhead(r, s);
	print_trust(r, s->counters);
	text_advice(r, s);
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
	fprintf(r->out, "%8s %8s %6s %8s %6s %6s %8s %6s %6s\n", N(t->calls), N(t->bytes / 4096),
		COUNT(t->returned[EAGAIN], 6), N(windows_total(t)), COUNT(windows_of_class(t, CLASS_REAL), 6),
		COUNT(windows_of_class(t, CLASS_HIDDEN), 6),
		report_tells_check(r, CHECK_PER_MM_SEQ) ? N(t->checks[CHECK_PER_MM_SEQ].spurious) : "-", p50, p99);
	return fflush(r->out) || ferror(r->out) ? -1 : 0;
}
