// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Two runs side by side, as text in 80 columns. */
#include "report/diff.h"
#include "report/format.h"

#include <math.h>
#include <string.h>

#define MILLION 1e6

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

static void print_share(FILE *out, const struct diff_share *row, const struct share s[2])
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

	for (size_t i = 0; i < nr_diff_shares; i++) {
		const struct share s[2] = { diff_shares[i].get(&d->runs[0], diff_shares[i].arg),
					    diff_shares[i].get(&d->runs[1], diff_shares[i].arg) };
		char head[40];

		if (!diff_shares[i].always && !s[0].k && !s[1].k)
			continue;
		snprintf(head, sizeof(head), "%s %s",
			 diff_shares[i].per_million ? "per million" : "of", diff_shares[i].of);
		if (strcmp(of, diff_shares[i].of)) {
			fputc('\n', out);
			print_cells(out, head, "before", "after", "difference (95 %)");
		}
		of = diff_shares[i].of;
		print_share(out, &diff_shares[i], s);
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
		const struct estimate e[2] = { quantile_of(&h[0], diff_quantiles[i].q),
					       quantile_of(&h[1], diff_quantiles[i].q) };

		print_quantile(out, diff_quantiles[i].name, e);
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
