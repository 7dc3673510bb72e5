// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Causes, holders of mmap_changing, and chains for people, at most 80 columns. */
#include "report/failures.h"
#include "counters/counters.h"

#include <ctype.h>

#define HOLDERS_SHOWN 5
#define N(n) text_count(n, (char[24]) { 0 }, 24)

static void print_eagain(FILE *out, const struct failures *f)
{
	if (!failures_of_errno(f, FAIL_EAGAIN))
		return;
	fprintf(out, "\nEAGAIN, by cause\n");
	for (int i = 0; i < NR_EAGAIN_CAUSES; i++) {
		__u64 n = failures_of_cause(f, (enum eagain_cause)i);

		if (n)
			fprintf(out, "  %-20s %8s  %s\n", cause_names[i], N(n), cause_meanings[i]);
	}
	for (int i = 0; i < NR_FAIL_ERRNOS; i++)
		if (stops_of_errno(f, (enum fail_errno)i))
			fprintf(out, "    %8s stopped by %s, after %s bytes in all\n",
				N(stops_of_errno(f, (enum fail_errno)i)), fail_errno_names[i], N(f->short_bytes[i]));
}

static void print_others(FILE *out, const struct failures *f)
{
	static const char *const places[NR_SITES] = {
		[SITE_ENTRY] = "by the ioctl itself",
		[SITE_LOCK] = "taking the VMA",
		[SITE_REFUSED] = "locking the VMA",
		[SITE_SOURCE] = "reading the source",
		[SITE_RELOCK] = "taking the VMA again",
		[SITE_CHECK] = "by the kernel's check",
		[SITE_PAGE] = "having or installing the page",
		[SITE_RESULT] = "writing the result",
		[SITE_UNKNOWN] = "a fact was lost",
	};
	bool head = false;

	for (int i = 0; i < NR_FAIL_ERRNOS; i++)
		for (int site = 0; site < NR_SITES; site++) {
			if (i == FAIL_EAGAIN || !f->failed[i][site] || !places[site])
				continue;
			if (!head)
				fprintf(out, "\nother failures, by place\n");
			head = true;
			fprintf(out, "  %-20s %8s  %s\n", fail_errno_names[i], N(f->failed[i][site]), places[site]);
		}
}

static void print_fills(FILE *out, const struct failures *f)
{
	for (int i = 0; i < NR_FILLS; i++) {
		const struct fill_totals *t = &f->fills[i];
		__u64 failed = t->mmap_changing;

		for (int e = 0; e < NR_FAIL_ERRNOS; e++)
			failed += t->failed[e];
		if (!failed)
			continue;
		fprintf(out, "\n%s: %s ok", fill_names[i], N(t->ok));
		if (t->mmap_changing)
			fprintf(out, ", %s EAGAIN (mmap_changing)", N(t->mmap_changing));
		for (int e = 0; e < NR_FAIL_ERRNOS; e++)
			if (t->failed[e])
				fprintf(out, ",\n  %s %s", N(t->failed[e]), fail_errno_names[e]);
		fputc('\n', out);
	}
}

static void print_holder(FILE *out, const struct holder_row *h)
{
	const char *call = syscall_name(h->who.syscall), *advice = advice_name(h->who.advice);

	fprintf(out, "  %s", call ? call : changing_op_names[h->who.op < NR_CHANGING_OPS ? h->who.op : 0]);
	if (advice)
		fprintf(out, "(%s)", advice);
	fprintf(out, " by ");
	for (size_t i = 0; i < sizeof(h->who.comm) && h->who.comm[i]; i++)
		fputc(isprint((unsigned char)h->who.comm[i]) ? h->who.comm[i] : '?', out);
	fprintf(out, " (%u):\n    %s times, longest %.3g ms, refused %s\n", h->who.tgid, N(h->totals.raised),
		(double)h->totals.longest_ns / 1e6, N(h->totals.refused));
}

static void print_holders(FILE *out, const struct failures *f, const struct holder_row *holders, int nr)
{
	if (!f->refused)
		return;
	fprintf(out, "\nmmap_changing refused %s calls: read the event queue first. Raised by\n", N(f->refused));
	for (int i = 0; i < nr && i < HOLDERS_SHOWN; i++)
		print_holder(out, &holders[i]);
	if (f->refused_unseen)
		fprintf(out, "  somebody who was not seen: refused %s\n", N(f->refused_unseen));
	if (f->refused_stuck)
		fprintf(out, "  STUCK, with no event to be read: refused %s\n", N(f->refused_stuck));
}

static void print_chains(FILE *out, const struct counters *c)
{
	const struct failures *f = &c->failures;
	const char *cause = chain_cause_name(c->chain_longest);

	if (!f->chains)
		return;
	fprintf(out, "\nchains    %s pages failed at least once, %s of them are there now\n", N(f->chains),
		N(f->chains_ended));
	fprintf(out, "          longest %s failures in a row (%s),\n          %.3g ms lost in all\n",
		N(CHAIN_LENGTH(c->chain_longest)), cause ? cause : "-", (double)f->chain_lost_ns / 1e6);
	fprintf(out, "          %s copies re-issued, %s of them opened a window again;\n", N(f->reissued),
		N(f->reopened));
	fprintf(out, "          of %s that no event refused %s just succeeded\n", N(f->retried), N(f->succeeded));
}

void text_failures(FILE *out, const struct counters *c, const struct holder_row *holders, int nr_holders)
{
	print_eagain(out, &c->failures);
	print_others(out, &c->failures);
	print_fills(out, &c->failures);
	print_holders(out, &c->failures, holders, nr_holders);
	print_chains(out, c);
}
