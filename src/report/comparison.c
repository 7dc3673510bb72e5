// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* What two runs are compared by, and what their differences are worth: see comparison.h. */
#include "report/comparison.h"
#include "report/format.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* --- What is compared --- */

/* Calls that are missing may all have failed. */
static struct share of_copies(const struct saved *s, __u64 k)
{
	const struct counters *c = &s->all.counters;

	return (struct share) { true, k, c->totals.calls, calls_unseen(c) };
}

static struct share eagain(const struct saved *s, int arg)
{
	(void)arg;
	return of_copies(s, s->all.counters.totals.returned[EAGAIN]);
}

static struct share of_cause(const struct saved *s, int cause)
{
	return of_copies(s, failures_of_cause(&s->all.counters.failures, (enum eagain_cause)cause));
}

static struct share needless(const struct saved *s, int check)
{
	const struct totals *t = &s->all.counters.totals;

	return (struct share) { report_tells_check(&s->report, (enum check)check),
				t->checks[check].spurious, windows_reached(t), false };
}

static struct share needless_of_copies(const struct saved *s, int check)
{
	const struct share windows = needless(s, check);
	struct share share = of_copies(s, windows.k);

	share.known = windows.known;
	/* A call of many pages has many windows. */
	share.rate |= windows.n > share.n;
	return share;
}

static struct share wrong_pages(const struct saved *s, int arg)
{
	const struct totals *t = &s->all.counters.totals;

	(void)arg;
	return (struct share) { true, t->checks[CHECK_KERNEL].missed, windows_reached(t), false };
}

/* The important ones first. */
const struct diff_share diff_shares[] = {
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

const size_t nr_diff_shares = sizeof(diff_shares) / sizeof(diff_shares[0]);

const struct diff_quantile diff_quantiles[NR_QUANTILES] = { { "p50", 0.5 }, { "p99", 0.99 } };

const char *const loss_names[NR_LOSSES] = {
	"anomalies",
	"undetermined windows",
	"windows missing, at most",
	"windows whose end was missed",
	"calls missing, at most",
	"changes by other BPF programs",
	"other BPF programs: untold",
	"calls without pages, at most",
	"unmaps missing, at most",
	"children missing, at most",
	"failures without a cause",
	"skipped program runs",
	"events lost",
	"holders without a place",
	"chains without a place",
	"write sections without a place",
};

void losses_of(const struct counters *c, __u64 losses[NR_LOSSES])
{
	const __u64 all[] = {
		c->totals.anomalies,
		windows_of_class(&c->totals, CLASS_UNDETERMINED),
		windows_missing(c),
		c->totals.lost[LOST_WINDOWS],
		c->skipped[COSTS_CALL],
		c->rehooks == REHOOKS_UNTOLD ? 0 : c->rehooks,
		c->rehooks == REHOOKS_UNTOLD,
		c->skipped[COSTS_PAGES],
		c->skipped[COSTS_UNMAP],
		c->skipped[COSTS_CHILD],
		failures_unexplained(&c->failures),
		c->recursion,
		c->totals.lost[LOST_EVENTS] + c->totals.lost[LOST_COPY_EVENTS] +
			c->totals.lost[LOST_CHANGING_EVENTS],
		c->failures.holders_lost,
		c->failures.chains_lost,
		c->totals.writers.other,
	};

	_Static_assert(sizeof(all) == NR_LOSSES * sizeof(all[0]), "each has a name");
	memcpy(losses, all, sizeof(all));
}

/* --- What a difference is worth --- */

struct estimate estimate_of(const struct share *s)
{
	struct estimate e = { s->known && s->n && (s->rate || s->k <= s->n), 0, NAN, NAN };

	if (!e.known)
		return e;
	e.value = (double)s->k / (double)s->n;
	if (!s->rate)
		wilson(s->k, s->n, &e.low, &e.high);
	return e;
}

struct estimate difference_of(const struct share s[2])
{
	const struct estimate e[2] = { estimate_of(&s[0]), estimate_of(&s[1]) };
	struct estimate d = { e[0].known && e[1].known, e[1].value - e[0].value, NAN, NAN };

	if (!d.known || s[0].rate || s[1].rate)
		return d;
	newcombe((__u64[]) { s[0].k, s[1].k }, (__u64[]) { s[0].n, s[1].n }, &d.low, &d.high);
	return d;
}

/* Lower and upper bound of the duration with this rank: the ends of its bucket. */
static double not_below(const struct hist *h, __u64 rank)
{
	return rank ? (double)hist_min(hist_bucket_of(h, rank)) : NAN;
}

static double not_above(const struct hist *h, __u64 rank, __u64 n)
{
	__u32 bucket = hist_bucket_of(h, rank);

	return rank <= n && bucket < HIST_BUCKETS - 1 ? (double)hist_max(bucket) : NAN;
}

struct estimate quantile_of(const struct hist *h, double q)
{
	const __u64 n = hist_count(h);
	struct estimate e = { .known = n };
	__u64 low, high;

	if (!n)
		return e;
	quantile_ranks(n, q, &low, &high);
	e.value = (double)hist_quantile(h, q);
	e.low = not_below(h, low);
	e.high = not_above(h, high, n);
	return e;
}

/* NAN stays NAN. */
struct estimate quantile_difference(const struct estimate e[2])
{
	return (struct estimate) { .known = e[0].known && e[1].known,
				   .value = e[1].value - e[0].value,
				   .low = e[1].low - e[0].high,
				   .high = e[1].high - e[0].low };
}

const char *verdict_of(const struct estimate *d)
{
	if (!d->known || (isnan(d->low) && isnan(d->high)))
		return NULL;
	return d->low > 0 ? "more" : d->high < 0 ? "less" : "no difference seen";
}

const char *warning_of(const struct diff *d)
{
	if (d->runs[0].emulated == d->runs[1].emulated)
		return NULL;
	return d->runs[0].emulated
		       ? "BEFORE ran in emulation: do not compare its times and shares with AFTER's"
		       : "AFTER ran in emulation: do not compare its times and shares with BEFORE's";
}

const char *options_text(const struct saved *s, char *text, size_t size)
{
	static const char *const by[] = { "", " --by process", " --by cgroup" };

	snprintf(text, size, "%s%s%s%s%s", s->report.writers ? "" : " --no-writers",
		 by[s->report.by], s->report.relock ? " --relock" : "",
		 s->report.claims ? " --claims" : "", s->report.overhead ? " --overhead" : "");
	return text[0] ? text + 1 : "none that the record shows";
}
