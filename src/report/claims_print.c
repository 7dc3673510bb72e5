// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The claims of claims.h, as text and as JSON. */
#include "report/claims.h"
#include "sys/json.h"
#include "report/report.h"

#include <stdio.h>
#include <string.h>

/* "20.4% (19.2% ... 21.6%)", or the bound that none proves. */
static void print_share(FILE *out, const struct claim *c)
{
	const double share = (double)c->number / (double)c->of;

	if (!c->number)
		fprintf(out, ", below %.3g%%", c->high * 100);
	else
		fprintf(out, ", %.3g%% (%.3g%% ... %.3g%%)", share * 100, c->low * 100, c->high * 100);
}

static void print_claim(FILE *out, const struct claim *c)
{
	fprintf(out, "\n%s: %s\n", c->who, c->text);
	if (!c->measured) {
		fprintf(out, "    not on this kernel\n");
		return;
	}
	fprintf(out, "    %llu of %llu %s", c->number, c->of, c->unit);
	if (c->of)
		print_share(out, c);
	fprintf(out, "\n    %s", c->verdict);
	if (!strcmp(c->verdict, "not enough windows"))
		fprintf(out, " (have %llu, need %d)", c->of, CLAIM_WINDOWS);
	fputc('\n', out);
}

void text_claims(const struct report *r, const struct counters *c)
{
	struct claim claims[NR_CLAIMS];

	claims_judge(c, r->seq, claims);
	fprintf(r->out, "\nwhat was said of the check after the retry (95 %% intervals)\n");
	for (int i = 0; i < NR_CLAIMS; i++)
		print_claim(r->out, &claims[i]);
}

static struct json_object *claim_json(const struct claim *c)
{
	struct json_object *o = json_new();

	add_str(o, "claim", c->name);
	add_str(o, "who", c->who);
	add_str(o, "text", c->text);
	add_str(o, "unit", c->unit);
	if (c->measured) {
		add_u64(o, "number", c->number);
		add_u64(o, "of", c->of);
		add_double(o, "low", c->low);
		add_double(o, "high", c->high);
	} else {
		add_null(o, "number");
		add_null(o, "of");
		add_null(o, "low");
		add_null(o, "high");
	}
	add_u64(o, "needed", CLAIM_WINDOWS);
	add_str(o, "verdict", c->verdict);
	return o;
}

void json_claims(struct json_object *o, const struct report *r, const struct counters *c)
{
	struct json_object *list = json_array();
	struct claim claims[NR_CLAIMS];

	claims_judge(c, r->seq, claims);
	for (int i = 0; i < NR_CLAIMS; i++)
		json_append(list, claim_json(&claims[i]));
	add_value(o, "claims", list);
}
