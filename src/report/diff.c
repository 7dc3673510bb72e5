// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Two runs side by side: see diff.h. */
#include "report/diff.h"
#include "counters/counters.h"
#include "report/format.h"
#include "sys/err.h"
#include "sys/json_lines.h"
#include "sys/records.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MILLION 1e6

/* --- What is compared --- */

struct share {
	bool known; /* this kernel can tell */
	__u64 k, n;
	bool rate; /* k may exceed n, so there is no interval */
};

static struct share eagain(const struct saved *s, int arg)
{
	const struct totals *t = &s->all.counters.totals;

	(void)arg;
	return (struct share) { true, t->returned[EAGAIN], t->calls, false };
}

static struct share of_cause(const struct saved *s, int cause)
{
	return (struct share) {
		true, failures_of_cause(&s->all.counters.failures, (enum eagain_cause)cause),
		s->all.counters.totals.calls, false
	};
}

static struct share needless(const struct saved *s, int check)
{
	const struct totals *t = &s->all.counters.totals;

	return (struct share) { report_tells_check(&s->report, (enum check)check),
				t->checks[check].spurious, windows_reached(t), false };
}

static struct share needless_of_copies(const struct saved *s, int check)
{
	struct share share = needless(s, check);

	/* A call of many pages has many windows. */
	share.rate = share.n > s->all.counters.totals.calls;
	share.n = s->all.counters.totals.calls;
	return share;
}

static struct share wrong_pages(const struct saved *s, int arg)
{
	const struct totals *t = &s->all.counters.totals;

	(void)arg;
	return (struct share) { true, t->checks[CHECK_KERNEL].missed, windows_reached(t), false };
}

/* The important ones first. */
static const struct row {
	const char *name;
	const char *of;
	bool per_million; /* else in percent */
	bool always;	  /* also where both are 0 */
	struct share (*get)(const struct saved *s, int arg);
	int arg;
} rows[] = {
#define CAUSE(name, cause)                                   \
	{                                                    \
		name, "copies", true, false, of_cause, cause \
	}
	{ "EAGAIN", "copies", true, true, eagain, 0 },
	CAUSE("entry_mmap_changing", CAUSE_ENTRY_MMAP_CHANGING),
	CAUSE("lock_mmap_changing", CAUSE_LOCK_MMAP_CHANGING),
	CAUSE("relock_mmap_changing", CAUSE_RELOCK_MMAP_CHANGING),
	CAUSE("vma_lock", CAUSE_VMA_LOCK),
	CAUSE("snapshot", CAUSE_SNAPSHOT),
	CAUSE("pte", CAUSE_PTE),
	CAUSE("short_copy", CAUSE_SHORT_COPY),
	CAUSE("unknown", CAUSE_UNKNOWN),
	{ "needless by per-MM", "copies", true, true, needless_of_copies, CHECK_PER_MM_SEQ },
	{ "needless by per-MM", "checked windows", false, true, needless, CHECK_PER_MM_SEQ },
	{ "needless by kernel", "checked windows", false, false, needless, CHECK_KERNEL },
	{ "pages filled wrongly", "checked windows", false, true, wrong_pages, 0 },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
	const char *name;
	double q;
} quantiles[] = { { "p50", 0.5 }, { "p99", 0.99 } };

#define NR_QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static const char *const loss_names[] = {
	"anomalies",
	"undetermined windows",
	"windows missing, at most",
	"windows whose end was missed",
	"calls missing, at most",
	"failures without a cause",
	"skipped program runs",
	"events lost",
	"holders without a place",
	"chains without a place",
	"write sections without a place",
};

#define NR_LOSSES (sizeof(loss_names) / sizeof(loss_names[0]))

static void losses_of(const struct counters *c, __u64 losses[NR_LOSSES])
{
	losses[0] = c->totals.anomalies;
	losses[1] = windows_of_class(&c->totals, CLASS_UNDETERMINED);
	losses[2] = windows_missing(c);
	losses[3] = c->totals.lost[LOST_WINDOWS];
	losses[4] = c->skipped[COSTS_CALL];
	losses[5] = failures_unexplained(&c->failures);
	losses[6] = c->recursion;
	losses[7] = c->totals.lost[LOST_EVENTS] + c->totals.lost[LOST_COPY_EVENTS] +
		    c->totals.lost[LOST_CHANGING_EVENTS];
	losses[8] = c->failures.holders_lost;
	losses[9] = c->failures.chains_lost;
	losses[10] = c->totals.writers.other;
}

/* --- What a difference is worth --- */

/* NAN: there is no such end. */
struct estimate {
	bool known;
	double value, low, high;
};

static struct estimate estimate_of(const struct share *s)
{
	struct estimate e = { s->known && s->n && (s->rate || s->k <= s->n), 0, NAN, NAN };

	if (!e.known)
		return e;
	e.value = (double)s->k / (double)s->n;
	if (!s->rate)
		wilson(s->k, s->n, &e.low, &e.high);
	return e;
}

static struct estimate difference_of(const struct share s[2])
{
	const struct estimate e[2] = { estimate_of(&s[0]), estimate_of(&s[1]) };
	struct estimate d = { e[0].known && e[1].known, e[1].value - e[0].value, NAN, NAN };

	if (!d.known || s[0].rate || s[1].rate)
		return d;
	newcombe((__u64[]) { s[0].k, s[1].k }, (__u64[]) { s[0].n, s[1].n }, &d.low, &d.high);
	return d;
}

static double at_rank(const struct hist *h, __u64 rank, __u64 n)
{
	return rank && rank <= n ? (double)hist_quantile(h, (double)rank / (double)n) : NAN;
}

/* By the ranks between which the quantile lies: to within a bucket. An end is NAN where few windows tell none. */
static struct estimate quantile_of(const struct hist *h, double q)
{
	const __u64 n = hist_count(h);
	struct estimate e = { .known = n };
	__u64 low, high;

	if (!n)
		return e;
	quantile_ranks(n, q, &low, &high);
	e.value = (double)hist_quantile(h, q);
	e.low = at_rank(h, low, n);
	e.high = at_rank(h, high, n);
	return e;
}

/* The intervals of two quantiles that do not overlap, as that of their difference. NAN stays NAN. */
static struct estimate quantile_difference(const struct estimate e[2])
{
	return (struct estimate) { .known = e[0].known && e[1].known,
				   .value = e[1].value - e[0].value,
				   .low = e[1].low - e[0].high,
				   .high = e[1].high - e[0].low };
}

static const char *verdict_of(const struct estimate *d)
{
	if (!d->known || (isnan(d->low) && isnan(d->high)))
		return NULL;
	return d->low > 0 ? "more" : d->high < 0 ? "less" : "no difference seen";
}

static const char *warning_of(const struct diff *d)
{
	if (d->runs[0].emulated == d->runs[1].emulated)
		return NULL;
	return d->runs[0].emulated
		       ? "BEFORE ran in emulation: do not compare its times and shares with AFTER's"
		       : "AFTER ran in emulation: do not compare its times and shares with BEFORE's";
}

static const char *options_text(const struct saved *s, char *text, size_t size)
{
	static const char *const by[] = { "", " --by process", " --by cgroup" };

	snprintf(text, size, "%s%s%s%s%s", s->report.writers ? "" : " --no-writers",
		 by[s->report.by], s->report.relock ? " --relock" : "",
		 s->report.claims ? " --claims" : "", s->report.overhead ? " --overhead" : "");
	return text[0] ? text + 1 : "none that the record shows";
}

/* --- Text --- */

#define CELL 34 /* of the head */
#define LINE 71 /* with its NUL, behind a name */
#define TEXT 35

/* Side by side, or below each other where that shows more. */
static void print_fact(FILE *out, const char *name, const char *a, const char *b, bool always)
{
	const bool fit = strlen(a) <= CELL && strlen(b) <= CELL;
	char first[LINE], second[LINE];

	printable(first, sizeof(first), a);
	printable(second, sizeof(second), b);
	if (!strcmp(a, b) && always)
		fprintf(out, "%-10s%s%s\n", name, first, fit ? " in both" : "");
	else if (strcmp(a, b) && fit)
		fprintf(out, "%-10s%-*s %s\n", name, CELL, first, second);
	else if (strcmp(a, b))
		fprintf(out, "%-10s%s\n%10s%s\n", name, first, "AFTER: ", second);
}

static void print_head(FILE *out, const struct diff *d)
{
	const struct saved *a = &d->runs[0], *b = &d->runs[1];
	char first[128], second[128];

	fprintf(out, "%-10s%-*s %s\n", "", CELL, "BEFORE", "AFTER");
	print_fact(out, "file", d->names[0], d->names[1], true);
	print_fact(out, "kernel", a->kernel, b->kernel, true);
	print_fact(out, "its check", a->kernel_check, b->kernel_check, true);
	print_fact(out, "machine", a->machine, b->machine, false);
	snprintf(first, sizeof(first), "%s (%s)", a->plan, a->exactness);
	snprintf(second, sizeof(second), "%s (%s)", b->plan, b->exactness);
	print_fact(out, "plan", first, second, false);
	print_fact(out, "self-test", a->self_test, b->self_test, false);
	target_text(&a->report, first, sizeof(first));
	target_text(&b->report, second, sizeof(second));
	print_fact(out, "traced", first, second, true);
	snprintf(first, sizeof(first), "%.1f s", a->span.elapsed_s);
	snprintf(second, sizeof(second), "%.1f s", b->span.elapsed_s);
	print_fact(out, "for", first, second, true);
	print_fact(out, "options", options_text(a, first, sizeof(first)),
		   options_text(b, second, sizeof(second)), false);
	if (warning_of(d))
		fprintf(out, "\nWARNING: ");
	if (warning_of(d))
		print_wrapped(out, warning_of(d), 9);
}

/* Without spaces at the end, and no line of nothing. */
static void print_cells(FILE *out, const char *name, const char *a, const char *b, const char *d)
{
	char line[160];
	int n = snprintf(line, sizeof(line), "%-20s%19s%19s%22s", name, a, b, d);

	while (n && line[n - 1] == ' ')
		n--;
	if (n)
		fprintf(out, "%.*s\n", n, line);
}

static const char *share_text(double p, bool per_million, char *text, size_t size)
{
	if (!per_million)
		return format_percent(p, text, size);
	p *= MILLION;
	snprintf(text, size, p >= 999.5 ? "%.0f" : p < 0.0995 ? "%.2g" : "%.3g", p);
	return text;
}

#define SHARE(p, per_million) FORMAT(share_text, p, per_million)

static const char *signed_text(double p, bool per_million, char *text, size_t size)
{
	snprintf(text, size, "%s%s", p < 0 ? "-" : p > 0 ? "+" : "", SHARE(fabs(p), per_million));
	return text;
}

#define SIGNED(p, per_million) FORMAT(signed_text, p, per_million)

static void print_share(FILE *out, const struct row *row, const struct share s[2])
{
	const struct estimate d = difference_of(s);
	char cells[3][2][TEXT] = {}, between[TEXT] = "";

	for (int i = 0; i < 2; i++) {
		const struct estimate e = estimate_of(&s[i]);

		if (!s[i].known) {
			strcpy(cells[0][i], "not on this kernel");
			continue;
		}
		strcpy(cells[0][i], "-");
		snprintf(cells[2][i], TEXT, "%s of %s", COUNT_IN(s[i].k, 7), COUNT_IN(s[i].n, 7));
		if (!e.known)
			continue;
		strcpy(cells[0][i], SHARE(e.value, row->per_million));
		if (s[i].rate)
			continue;
		snprintf(cells[1][i], TEXT, "%s%s%s", s[i].k ? SHARE(e.low, row->per_million) : "",
			 s[i].k ? " ... " : "< ", SHARE(e.high, row->per_million));
	}
	if (verdict_of(&d))
		snprintf(between, sizeof(between), "%s ... %s", SIGNED(d.low, row->per_million),
			 SIGNED(d.high, row->per_million));
	print_cells(out, row->name, cells[0][0], cells[0][1],
		    d.known ? SIGNED(d.value, row->per_million) : "");
	print_cells(out, "", cells[1][0], cells[1][1], between);
	print_cells(out, "", cells[2][0], cells[2][1], verdict_of(&d) ?: "");
}

static void print_shares(FILE *out, const struct diff *d)
{
	const char *of = "";

	for (size_t i = 0; i < NR_ROWS; i++) {
		const struct share s[2] = { rows[i].get(&d->runs[0], rows[i].arg),
					    rows[i].get(&d->runs[1], rows[i].arg) };
		char head[40];

		if (!rows[i].always && !s[0].k && !s[1].k)
			continue;
		snprintf(head, sizeof(head), "%s %s", rows[i].per_million ? "per million" : "of",
			 rows[i].of);
		if (strcmp(of, rows[i].of)) {
			fputc('\n', out);
			print_cells(out, head, "before", "after", "difference (95 %)");
		}
		of = rows[i].of;
		print_share(out, &rows[i], s);
	}
}

static void print_windows(FILE *out, const struct diff *d)
{
	char cells[2][2][TEXT];

	for (int i = 0; i < 2; i++) {
		const struct totals *t = &d->runs[i].all.counters.totals;

		snprintf(cells[0][i], TEXT, "%.3g", share_of(windows_total(t), t->calls));
		snprintf(cells[1][i], TEXT, "%s / %s", COUNT_IN(windows_total(t), 7),
			 COUNT_IN(t->calls, 7));
		if (!t->calls)
			strcpy(cells[0][i], "-");
	}
	fputc('\n', out);
	print_cells(out, "windows per copy", cells[0][0], cells[0][1], "");
	print_cells(out, "", cells[1][0], cells[1][1], "");
}

static void print_quantile(FILE *out, const char *name, const struct estimate e[2])
{
	const struct estimate d = quantile_difference(e);
	char values[2][TEXT] = { "-", "-" }, between[2][TEXT] = {}, change[TEXT] = "";

	for (int i = 0; i < 2; i++) {
		if (!e[i].known)
			continue;
		snprintf(values[i], TEXT, "%s", DURATION((__u64)e[i].value));
		snprintf(between[i], TEXT, "%s ... %s",
			 isnan(e[i].low) ? "?" : DURATION((__u64)e[i].low),
			 isnan(e[i].high) ? "?" : DURATION((__u64)e[i].high));
	}
	if (d.known)
		snprintf(change, sizeof(change), "%s%s", d.value < 0 ? "-" : "+",
			 DURATION((__u64)fabs(d.value)));
	print_cells(out, name, values[0], values[1], change);
	print_cells(out, "", between[0], between[1], verdict_of(&d) ?: "");
}

static void print_lengths(FILE *out, const struct diff *d)
{
	struct hist h[2];

	for (int i = 0; i < 2; i++)
		hist_of_class(&d->runs[i].all.counters, NR_CLASSES, &h[i]);
	fputc('\n', out);
	print_cells(out, "length of windows", "before", "after", "difference");
	for (size_t i = 0; i < NR_QUANTILES; i++) {
		const struct estimate e[2] = { quantile_of(&h[0], quantiles[i].q),
					       quantile_of(&h[1], quantiles[i].q) };

		print_quantile(out, quantiles[i].name, e);
	}
}

static void print_losses(FILE *out, const struct diff *d)
{
	__u64 losses[2][NR_LOSSES];
	bool head = false;

	for (int i = 0; i < 2; i++)
		losses_of(&d->runs[i].all.counters, losses[i]);
	for (size_t i = 0; i < NR_LOSSES; i++) {
		if (!losses[0][i] && !losses[1][i])
			continue;
		if (!head)
			fprintf(out, "\n%-30s %8s %18s\n", "lost or in doubt", "before", "after");
		head = true;
		fprintf(out, "%-30s %8s %18s\n", loss_names[i], N(losses[0][i]), N(losses[1][i]));
	}
	if (!head)
		fprintf(out, "\nnothing was lost in either\n");
}

int text_diff(FILE *out, const struct diff *d)
{
	print_head(out, d);
	print_shares(out, d);
	print_windows(out, d);
	print_lengths(out, d);
	print_losses(out, d);
	fputs("\nThe intervals take copies and windows for independent. Where one event refuses\n"
	      "many retries they are too narrow: repeat the runs.\n",
	      out);
	return fflush(out) || ferror(out) ? -1 : 0;
}

/* --- JSON --- */

/* Unlike add_double(): differences can be negative. */
static void add_signed(struct json_object *o, const char *key, double value)
{
	if (isnan(value)) {
		add_null(o, key);
		return;
	}
	add_value(o, key, json_object_new_double(value));
}

/* @value and its interval times @scale, or null. */
static void add_estimate(struct json_object *o, const char *key, const struct estimate *e,
			 double scale)
{
	struct json_object *one;

	if (!e->known) {
		add_null(o, key);
		return;
	}
	one = add_object(o, key);
	add_signed(one, "value", e->value * scale);
	add_signed(one, "low", e->low * scale);
	add_signed(one, "high", e->high * scale);
}

static void add_difference(struct json_object *o, const struct estimate *d, double scale)
{
	add_estimate(o, "difference", d, scale);
	add_str(o, "verdict", verdict_of(d));
}

static const char *const sides[] = { "before", "after" };

static struct json_object *run_json(const struct diff *d, int i)
{
	const struct saved *s = &d->runs[i];
	const struct totals *t = &s->all.counters.totals;
	struct json_object *o = json_new();
	char text[96];

	add_str(o, "file", d->names[i]);
	add_str(o, "kernel", s->kernel);
	add_str(o, "machine", s->machine);
	add_str(o, "kernel_check", s->kernel_check);
	add_str(o, "plan", s->plan);
	add_str(o, "exactness", s->exactness);
	add_str(o, "self_test", s->self_test);
	target_text(&s->report, text, sizeof(text));
	add_str(o, "target", text);
	add_str(o, "options", options_text(s, text, sizeof(text)));
	add_double(o, "elapsed_s", s->span.elapsed_s);
	add_u64(o, "copies", t->calls);
	add_u64(o, "windows", windows_total(t));
	add_double(o, "windows_per_copy", t->calls ? share_of(windows_total(t), t->calls) : NAN);
	return o;
}

static void add_share(struct json_object *o, const char *key, const struct share *s)
{
	const struct estimate e = estimate_of(s);
	struct json_object *side;

	if (!s->known) {
		add_null(o, key);
		return;
	}
	side = add_object(o, key);
	add_u64(side, "number", s->k);
	add_u64(side, "of", s->n);
	add_estimate(side, "per_million", &e, MILLION);
}

static struct json_object *share_json(const struct diff *d, const struct row *row)
{
	const struct share s[2] = { row->get(&d->runs[0], row->arg),
				    row->get(&d->runs[1], row->arg) };
	const struct estimate difference = difference_of(s);
	struct json_object *o = json_new();

	add_str(o, "name", row->name);
	add_str(o, "unit", row->of);
	for (int i = 0; i < 2; i++)
		add_share(o, sides[i], &s[i]);
	add_difference(o, &difference, MILLION);
	return o;
}

static struct json_object *quantile_json(const struct diff *d, size_t q)
{
	struct json_object *o = json_new();
	struct estimate e[2] = {}, difference;
	struct hist h;

	add_str(o, "name", quantiles[q].name);
	for (int i = 0; i < 2; i++) {
		hist_of_class(&d->runs[i].all.counters, NR_CLASSES, &h);
		e[i] = quantile_of(&h, quantiles[q].q);
		add_estimate(o, sides[i], &e[i], 1);
	}
	difference = quantile_difference(e);
	add_difference(o, &difference, 1);
	return o;
}

static struct json_object *loss_json(const struct diff *d, size_t i)
{
	struct json_object *o = json_new();
	__u64 losses[NR_LOSSES];

	add_str(o, "name", loss_names[i]);
	for (int side = 0; side < 2; side++) {
		losses_of(&d->runs[side].all.counters, losses);
		add_u64(o, sides[side], losses[i]);
	}
	return o;
}

int json_diff(FILE *out, const struct diff *d)
{
	struct json_object *o = json_new(), *shares = json_array(), *lengths = json_array(),
			   *losses = json_array();

	add_str(o, "type", "diff");
	add_u64(o, "schema", JSON_SCHEMA);
	for (int i = 0; i < 2; i++)
		add_value(o, sides[i], run_json(d, i));
	add_str(o, "warning", warning_of(d));
	for (size_t i = 0; i < NR_ROWS; i++)
		json_append(shares, share_json(d, &rows[i]));
	for (size_t i = 0; i < NR_QUANTILES; i++)
		json_append(lengths, quantile_json(d, i));
	for (size_t i = 0; i < NR_LOSSES; i++)
		json_append(losses, loss_json(d, i));
	add_value(o, "shares", shares);
	add_value(o, "window_ns", lengths);
	add_value(o, "losses", losses);
	return json_write(out, o);
}

/* --- The command --- */

static int print(const struct report *to, const void *data)
{
	return to->json ? json_diff(to->out, data) : text_diff(to->out, data);
}

int diff_files(struct sink *sink, const char *const files[2])
{
	struct diff *d = calloc(1, sizeof(*d));
	int err = 0;

	if (!d)
		return fail(EXIT_ERROR, NULL, "diff: %s", strerror(ENOMEM));
	for (int i = 0; i < 2 && !err; i++) {
		d->names[i] = records_name(files[i]);
		err = saved_read(&d->runs[i], files[i]);
	}
	err = err ?: sink_print(sink, print, d);
	for (int i = 0; i < 2; i++)
		saved_free(&d->runs[i]);
	free(d);
	return err;
}
