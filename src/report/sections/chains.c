// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Chains: see chains.h. */
#include "report/sections/chains.h"
#include "counters/counters.h"
#include "report/sections/durations.h"
#include "report/format.h"
#include "sys/json_lines.h"

static void print_lengths(FILE *out, const struct counters *c)
{
	const char *cause = chain_cause_name(c->chain_longest);

	fprintf(out, "%s pages failed at least once, %s seen present since\n",
		N(c->failures.chains), N(c->failures.chains_ended));
	fprintf(out,
		"          longest %s failures in a row (%s),\n          %.3g ms lost in total\n          ",
		N(CHAIN_LENGTH(c->chain_longest)), cause ? cause : "-",
		(double)c->failures.chain_lost_ns / 1e6);
}

void text_chains(const struct report *r, const struct counters *c)
{
	const struct failures *f = &c->failures;
	FILE *out = r->out;

	/* The first screen has the lengths. */
	if (!f->chains || (!r->verbose && CHAIN_LENGTH(c->chain_longest) < 2))
		return;
	fprintf(out, "\nchains    ");
	if (r->verbose)
		print_lengths(out, c);
	fprintf(out, "%s copies of pages that had failed, %s with a window;\n", N(f->reissued),
		N(f->reopened));
	fprintf(out, "          %s not refused by an event; %s succeeded without a window\n",
		N(f->retried), N(f->succeeded));
}

void json_chains(struct json_object *o, const struct counters *c)
{
	const struct failures *f = &c->failures;
	struct json_object *chains = add_object(o, "chains");
	const char *cause = chain_cause_name(c->chain_longest);

	add_u64(chains, "count", f->chains);
	add_u64(chains, "ended", f->chains_ended);
	add_u64(chains, "open", c->chains_open);
	add_u64(chains, "longest", CHAIN_LENGTH(c->chain_longest));
	add_str(chains, "longest_cause", cause);
	add_u64(chains, "lost_ns", f->chain_lost_ns);
	add_u64(chains, "reissued", f->reissued);
	add_u64(chains, "reopened", f->reopened);
	add_u64(chains, "retried", f->retried);
	add_u64(chains, "succeeded", f->succeeded);
	add_u64(chains, "lost", f->chains_lost);
	add_value(chains, "lengths", hist_json(&c->chain_lengths));
}
