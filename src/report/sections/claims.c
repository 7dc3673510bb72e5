// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The claims as a table: what each measures, and the rule by which its numbers decide. They are
 * shadow verdicts: how user space would react to the other check's EAGAIN is not in them.
 */
#include "report/sections/claims.h"
#include "counters/counters.h"
#include "sys/json_lines.h"

#include <string.h>

struct share {
	__u64 number;
	__u64 of;
};

enum rule {
	/* It happens: one case proves it, none in enough windows speaks against it. */
	RULE_HAPPENS,
	/* It is too rare to matter: supported below 0.1 %, not supported above 1 %. */
	RULE_RARE,
	/* It happens nearly always: above 99 %. */
	RULE_ALWAYS,
};

static struct share unrelated(const struct counters *c)
{
	return (struct share) { windows_of_class(&c->totals, CLASS_UNRELATED),
				windows_reached(&c->totals) };
}

static struct share spurious_per_mm(const struct counters *c)
{
	return (struct share) { c->totals.checks[CHECK_PER_MM_SEQ].spurious,
				windows_reached(&c->totals) };
}

static struct share spurious_per_vma(const struct counters *c)
{
	return (struct share) { c->totals.checks[CHECK_PER_VMA_SEQ].spurious,
				windows_reached(&c->totals) };
}

/* Windows on which the snapshot and the per-MM counter disagree. */
static struct share disagree(const struct counters *c)
{
	const __u32 differ = CLASSES_FAIL_PER_MM ^ CLASSES_FAIL_SNAPSHOT;

	return (struct share) { windows_of_classes(&c->totals, differ),
				windows_reached(&c->totals) };
}

static struct share locked_unchanged(const struct counters *c)
{
	return (struct share) { windows_of_class(&c->totals, CLASS_LOCKED),
				windows_of_classes(&c->totals, CLASSES_FAIL_PER_VMA) };
}

static struct share write_locked(const struct counters *c)
{
	return (struct share) { windows_of_classes(&c->totals, CLASSES_FAIL_PER_VMA),
				windows_reached(&c->totals) };
}

static struct share really_changed(const struct counters *c)
{
	const __u64 gone = windows_of_class(&c->totals, CLASS_GONE);

	return (struct share) { windows_of_classes(&c->totals, CLASSES_CHANGED) + gone,
				windows_reached(&c->totals) + gone };
}

/* Retries that succeeded without a window, of those that no pending event refused. */
static struct share no_fault_again(const struct counters *c)
{
	return (struct share) { c->failures.succeeded, c->failures.retried };
}

static const struct {
	const char *name, *who, *text, *unit;
	struct share (*measure)(const struct counters *c);
	enum rule rule;
	bool needs_seq;
} table[NR_CLAIMS] = {
	{ "unrelated_writers", "Rapoport", "A per-MM counter would capture unrelated changes.",
	  "windows", unrelated, RULE_HAPPENS, true },
	{ "no_problem_in_practice", "Hildenbrand", "Unrelated changes are no problem in practice.",
	  "windows", spurious_per_mm, RULE_RARE, true },
	{ "retry_just_succeeds", "Hildenbrand", "The retry just succeeds, without another fault.",
	  "retried copies", no_fault_again, RULE_ALWAYS, false },
	{ "different_checks", "Stoakes", "Snapshot and \"was write-locked\" are different checks.",
	  "windows", disagree, RULE_HAPPENS, true },
	{ "lock_is_no_change", "Stoakes", "A VMA write lock does not mean that the VMA changed.",
	  "write-locked windows", locked_unchanged, RULE_HAPPENS, true },
	{ "spurious_locks_abort", "Stoakes", "Spurious VMA write locks would abort copies.",
	  "windows", spurious_per_vma, RULE_HAPPENS, true },
	{ "race_is_possible", "Stoakes", "The race with a writer of this VMA is very possible.",
	  "windows", write_locked, RULE_HAPPENS, true },
	{ "vma_really_changes", "Rapoport", "VMAs really change, or disappear, in the window.",
	  "windows", really_changed, RULE_HAPPENS, false },
};

static const char *judge(const struct claim *c, enum rule rule)
{
	if (rule == RULE_HAPPENS && c->number)
		return "supported";
	/* Many windows prove that it is rare; few can prove that it is not. */
	if (rule == RULE_RARE && c->of && c->low > 0.01)
		return "not supported";
	if (c->of < CLAIM_WINDOWS)
		return "not enough windows";
	switch (rule) {
	case RULE_HAPPENS:
		return "not supported";
	case RULE_RARE:
		return c->high <= 0.001 ? "supported"
		       : c->low > 0.01	? "not supported"
					: "undecided";
	default:
		return c->low >= 0.99	? "supported"
		       : c->high < 0.99 ? "not supported"
					: "undecided";
	}
}

void claims_judge(const struct counters *c, enum seq_kind seq, struct claim claims[NR_CLAIMS])
{
	for (int i = 0; i < NR_CLAIMS; i++) {
		struct claim *claim = &claims[i];
		struct share share = table[i].measure(c);

		*claim = (struct claim) {
			.name = table[i].name,
			.who = table[i].who,
			.text = table[i].text,
			.unit = table[i].unit,
			.measured = !table[i].needs_seq || seq != SEQ_NONE,
			.number = share.number,
			.of = share.of,
			.verdict = "not on this kernel",
		};
		if (!claim->measured)
			continue;
		wilson(claim->number, claim->of, &claim->low, &claim->high);
		claim->verdict = judge(claim, table[i].rule);
	}
}

/* "20.4% (19.2% ... 21.6%)", or with no case the 95 % upper bound. */
static void print_share(FILE *out, const struct claim *c)
{
	const double share = (double)c->number / (double)c->of;

	if (!c->number)
		fprintf(out, ", below %.3g%%", c->high * 100);
	else
		fprintf(out, ", %.3g%% (%.3g%% ... %.3g%%)", share * 100, c->low * 100,
			c->high * 100);
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
	fprintf(r->out, "\nclaims about the check after the retry (95 %% intervals)\n");
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
