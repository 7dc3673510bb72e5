// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Why copies failed, in a few lines: see eagain.h. */
#include "report/sections/eagain.h"
#include "counters/counters.h"
#include "report/format.h"
#include "report/sections/advice.h"
#include "report/sections/answer.h"
#include "report/sections/failures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAUSES_SHOWN 2

struct cause {
	__u64 n;
	const char *text;
};

static int most_first(const void *a, const void *b)
{
	const struct cause *x = a, *y = b;

	return (x->n < y->n) - (x->n > y->n);
}

/* The causes that happened, most first; those of mmap_changing are one. Returns how many. */
static int causes_of(const struct failures *f, struct cause causes[NR_EAGAIN_CAUSES])
{
	int nr = 1;

	causes[0] = (struct cause) { failures_by_event(f), f->refused_stuck
								   ? "mmap_changing was raised"
								   : "unread userfaultfd event" };
	for (int i = CAUSE_RELOCK_MMAP_CHANGING + 1; i < NR_EAGAIN_CAUSES; i++)
		causes[nr++] = (struct cause) { failures_of_cause(f, (enum eagain_cause)i),
						cause_meanings[i] };
	qsort(causes, (size_t)nr, sizeof(causes[0]), most_first);
	while (nr && !causes[nr - 1].n)
		nr--;
	return nr;
}

/* "; 34 failed otherwise (0.9%), most of them with EEXIST", or "" */
static void others_text(const struct totals *t, char *text, size_t size)
{
	__u64 others = 0, most = 0;
	const char *name = "";

	for (unsigned int e = 1; e < NR_RETURNED; e++) {
		if (e == EAGAIN || !returned_name(e))
			continue;
		others += t->returned[e];
		if (t->returned[e] > most)
			name = returned_name(e);
		most = t->returned[e] > most ? t->returned[e] : most;
	}
	text[0] = '\0';
	if (others)
		snprintf(text, size, "; %s failed otherwise (%s), %s with %s", N(others),
			 PERCENT(share_of(others, t->calls)),
			 most == others ? "all" : "most of them", name);
}

static void print_causes(FILE *out, const struct counters *c)
{
	const struct totals *t = &c->totals;
	const struct failures *f = &c->failures;
	const bool unseen = calls_unseen(c);
	struct cause causes[NR_EAGAIN_CAUSES];
	const __u64 eagain = t->returned[EAGAIN];
	const int nr = causes_of(f, causes);
	char text[ANSWER_LEN] = "", one[96], others[80];

	others_text(t, others, sizeof(others));
	for (int i = 0; i < nr && i < CAUSES_SHOWN; i++) {
		snprintf(one, sizeof(one), "%s%s (%s)",
			 i	  ? ", "
			 : nr > 1 ? "Causes: "
				  : "Cause: ",
			 causes[i].text, N(causes[i].n));
		append_printable(text, sizeof(text), one);
	}
	if (!eagain && !nr)
		answer(out, "EAGAIN", "none %sin %s copies%s", unseen ? "seen " : "", N(t->calls),
		       others);
	else
		answer(out, "EAGAIN", "%s of %s copies (%s)%s. %s%s", N(eagain), N(t->calls),
		       PERCENT(share_of(eagain, t->calls)), others, text,
		       nr > CAUSES_SHOWN ? ", and others" : "");
}

/* The other fill ioctls that the same events refused: their table follows. */
static void print_fills(FILE *out, const struct failures *f)
{
	__u64 n = 0;

	for (int i = 0; i < NR_FILLS; i++)
		n += f->fills[i].mmap_changing;
	if (n)
		answer(out, "", "events also refused %s other fill ioctls: %s refused in all", N(n),
		       N(f->refused));
}

/* What the worst holder did, and no more than that. */
static void print_holder(FILE *out, const struct span *s)
{
	const struct failures *f = &s->counters->failures;
	const struct holder_row *h = worst_holder(s);
	char who[HOLDER_LEN], held[48] = "not lowered until the end";

	if (!f->refused)
		return;
	if (!h) {
		answer(out, "", "who raised the event was not seen");
		return;
	}
	holder_text(h, who);
	if (h->totals.held_ns)
		snprintf(held, sizeof(held), "each pending up to %s",
			 DURATION(h->totals.longest_ns));
	answer(out, "", "%s raised %s events, %s; they refused %s of the %s calls", who,
	       N(h->totals.raised), held, N(h->totals.refused), N(f->refused));
}

/* How long a page that is not filled has waited is not known. */
static void print_chains(FILE *out, const struct counters *c)
{
	const struct failures *f = &c->failures;
	const __u64 length = CHAIN_LENGTH(c->chain_longest), fail = CHAIN_FAIL(c->chain_longest);
	char late[48] = "";

	if (!f->chains)
		return;
	if (f->chains_ended)
		snprintf(late, sizeof(late), ", mean %s later",
			 DURATION(f->chain_lost_ns / f->chains_ended));
	answer(out, "", "%s %s failed, %s filled since%s; one page failed %s times in a row (%s)",
	       N(f->chains), f->chains == 1 ? "page" : "pages", N(f->chains_ended), late, N(length),
	       length && fail < NR_FAIL_ERRNOS ? fail_errno_names[fail] : "-");
}

void text_eagain(const struct report *r, const struct span *s)
{
	const struct counters *c = s->counters;

	print_causes(r->out, c);
	print_fills(r->out, &c->failures);
	print_holder(r->out, s);
	print_chains(r->out, c);
	text_todo(r, s, ABOUT_EAGAIN);
}
