// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Two runs side by side, as one line of JSON. */
#include "report/diff.h"
#include "report/format.h"
#include "sys/json_lines.h"

#include <math.h>

#define MILLION 1e6

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

static struct json_object *share_json(const struct diff *d, const struct diff_share *row)
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

	add_str(o, "name", diff_quantiles[q].name);
	for (int i = 0; i < 2; i++) {
		hist_of_class(&d->runs[i].all.counters, NR_CLASSES, &h);
		e[i] = quantile_of(&h, diff_quantiles[q].q);
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
	for (size_t i = 0; i < nr_diff_shares; i++)
		json_append(shares, share_json(d, &diff_shares[i]));
	for (size_t i = 0; i < NR_QUANTILES; i++)
		json_append(lengths, quantile_json(d, i));
	for (size_t i = 0; i < NR_LOSSES; i++)
		json_append(losses, loss_json(d, i));
	add_value(o, "shares", shares);
	add_value(o, "window_ns", lengths);
	add_value(o, "losses", losses);
	return json_write(out, o);
}
