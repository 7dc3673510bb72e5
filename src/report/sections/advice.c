// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The rules behind the advice: each tests the counters and words its advice. */
#include "report/sections/advice.h"
#include "counters/counters.h"
#include "counters/syscalls.h"
#include "report/format.h"
#include "sys/json_lines.h"

/* A rule needs this many cases, and a tenth of all. */
#define ENOUGH 10

struct facts {
	const struct counters *c;
	const struct failures *f;
	const struct holder_row *holders;
	int nr_holders;
	__u64 eagain;
};

static bool enough(__u64 n, __u64 of)
{
	return n >= ENOUGH && n >= of / 10;
}

static __u64 of_class(const struct facts *f, enum window_class class)
{
	return windows_of_class(&f->c->totals, class);
}

/* Nobody lowers mmap_changing: from 6.17 to 7.0 mremap_userfaultfd_fail() does not. */
static bool stuck(const struct facts *f, char *text, size_t size)
{
	if (f->f->refused_stuck < ENOUGH)
		return false;
	snprintf(text, size,
		 "%llu calls were refused although no event is pending: mmap_changing stays raised after a failed mremap() "
		 "(a kernel bug); no retry can succeed, open a new userfaultfd",
		 f->f->refused_stuck);
	return true;
}

/* The holder that refused most calls, or NULL. */
static const struct holder_row *worst_holder(const struct facts *f)
{
	const struct holder_row *worst = NULL;

	for (int i = 0; i < f->nr_holders; i++)
		if (f->holders[i].totals.refused &&
		    (!worst || f->holders[i].totals.refused > worst->totals.refused))
			worst = &f->holders[i];
	return worst;
}

/* Did a single holder refuse all of them? */
static bool one_holder(const struct facts *f)
{
	int nr = 0;

	for (int i = 0; i < f->nr_holders; i++)
		nr += !!f->holders[i].totals.refused;
	return nr == 1;
}

/* "madvise(MADV_DONTNEED) by vmm (tid 4242)" */
static void holder_text(const struct holder_row *h, char *text, size_t size)
{
	const char *call = syscall_name(h->who.syscall), *advice = advice_name(h->who.advice);
	char name[COMM_LEN + 1], comm[COMM_LEN + 1];

	copy_comm(h->who.comm, name);
	printable(comm, sizeof(comm), name);
	snprintf(text, size, "%s%s%s%s by %s (tid %u)", call ? call : "something",
		 advice ? "(" : "", advice ? advice : "", advice ? ")" : "", comm, h->totals.tid);
}

static bool pending_event(const struct facts *f, char *text, size_t size)
{
	const __u64 all = failures_of_cause(f->f, CAUSE_ENTRY_MMAP_CHANGING) +
			  failures_of_cause(f->f, CAUSE_LOCK_MMAP_CHANGING) +
			  failures_of_cause(f->f, CAUSE_RELOCK_MMAP_CHANGING);
	/* Refusals of other fill ioctls may be among the stuck ones. */
	const __u64 n = all > f->f->refused_stuck ? all - f->f->refused_stuck : 0;
	const struct holder_row *h = worst_holder(f);
	char who[96];

	if (!enough(n, f->eagain) || !h)
		return false;
	holder_text(h, who, sizeof(who));
	snprintf(text, size,
		 "%llu of %llu EAGAIN: %s %s%s was pending (%s); read the event queue before retrying",
		 n, f->eagain, one_holder(f) ? "a" : "an event, most often",
		 changing_event_names[h->who.op < NR_CHANGING_OPS ? h->who.op : 0],
		 one_holder(f) ? " event" : ",", who);
	return true;
}

/* The errno that stopped most short copies. */
static enum fail_errno most_stops(const struct failures *f)
{
	enum fail_errno most = 0;

	for (enum fail_errno i = 0; i < NR_FAIL_ERRNOS; i++)
		if (stops_of_errno(f, i) > stops_of_errno(f, most))
			most = i;
	return most;
}

/* What the copy after the copied bytes will meet. */
static const char *behind(enum fail_errno stop)
{
	switch (stop) {
	case FAIL_EEXIST:
		return ", skip the page that exists, and wake its waiters";
	case FAIL_ENOENT:
		return "; the rest of the destination did not exist";
	case FAIL_EFAULT:
		return "; the rest of the source could not be read";
	default:
		return "";
	}
}

static bool short_copies(const struct facts *f, char *text, size_t size)
{
	const __u64 n = failures_of_cause(f->f, CAUSE_SHORT_COPY);
	const enum fail_errno most = most_stops(f->f);

	if (!enough(n, f->eagain))
		return false;
	snprintf(text, size,
		 "%llu of %llu EAGAIN are short copies, %llu of them stopped by %s: `copy` says how many bytes were copied, "
		 "continue after them%s",
		 n, f->eagain, stops_of_errno(f->f, most), fail_errno_names[most], behind(most));
	return true;
}

static bool changed_mapping(const struct facts *f, char *text, size_t size)
{
	const __u64 n = of_class(f, CLASS_REAL);

	if (!failures_of_cause(f->f, CAUSE_SNAPSHOT) || !enough(n, f->eagain))
		return false;
	snprintf(text, size,
		 "%llu of %llu EAGAIN: the destination was remapped or registered anew while its page was copied; look up "
		 "the mapping before retrying",
		 n, f->eagain);
	return true;
}

static bool false_alarms(const struct facts *f, char *text, size_t size)
{
	const __u64 n = of_class(f, CLASS_FALSE_ALARM);

	if (!failures_of_cause(f->f, CAUSE_SNAPSHOT) || !enough(n, f->eagain))
		return false;
	snprintf(text, size,
		 "%llu of %llu EAGAIN are needless (class false_alarm): the destination still means the same page; retry at once",
		 n, f->eagain);
	return true;
}

/* Exact and serious: one case is enough. */
static bool wrong_page(const struct facts *f, char *text, size_t size)
{
	const __u64 n = f->c->totals.checks[CHECK_KERNEL].missed;
	/* Reasons count all such windows: if the kernel failed some, whose they are is unknown. */
	const bool all = n == windows_of_classes(&f->c->totals, CLASSES_CHANGED);
	const __u64 swapped = all ? f->c->totals.meaning_reasons[MEANING_DIFF_CTX] : 0;
	char why[80] = "";

	if (!n)
		return false;
	if (swapped)
		snprintf(why, sizeof(why),
			 " (%llu: the range was registered with another userfaultfd)", swapped);
	snprintf(text, size,
		 "%llu copies went to an address that meant another page by then%s, and this kernel's check let them pass; "
		 "do not remap or re-register a range while copies to it are in flight (-e shows the addresses)",
		 n, why);
	return true;
}

static bool wake_after_eexist(const struct facts *f, char *text, size_t size)
{
	const __u64 n = failures_of_errno(f->f, FAIL_EEXIST);

	if (n < ENOUGH || n < f->c->totals.calls / 100)
		return false;
	snprintf(text, size,
		 "%llu of %llu copies found that the page exists (EEXIST): only UFFDIO_WAKE wakes its waiters",
		 n, f->c->totals.calls);
	return true;
}

static bool unmapped_source(const struct facts *f, char *text, size_t size)
{
	const __u64 windows = windows_total(&f->c->totals), pages = pages_of(f->c->totals.bytes);

	if (pages < 1000 || windows < pages / 2)
		return false;
	snprintf(text, size,
		 "%llu retry windows for %llu pages: the source is not mapped when the kernel copies from it; read it into a "
		 "buffer, or populate the mapping (MADV_POPULATE_READ), before the copy",
		 windows, pages);
	return true;
}

static const struct {
	const char *name;
	bool (*applies)(const struct facts *f, char *text, size_t size);
} rules[] = {
	{ "stuck", stuck },
	{ "pending_event", pending_event },
	{ "wrong_page", wrong_page },
	{ "short_copies", short_copies },
	{ "changed_mapping", changed_mapping },
	{ "false_alarms", false_alarms },
	{ "wake_after_eexist", wake_after_eexist },
	{ "unmapped_source", unmapped_source },
};

int advise(const struct counters *c, const struct holder_row *holders, int nr_holders,
	   struct advice list[MAX_ADVICE])
{
	const struct facts f = {
		.c = c,
		.f = &c->failures,
		.holders = holders,
		.nr_holders = nr_holders,
		.eagain = failures_of_errno(&c->failures, FAIL_EAGAIN),
	};
	int nr = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && nr < MAX_ADVICE; i++) {
		if (!rules[i].applies(&f, list[nr].text, sizeof(list[nr].text)))
			continue;
		list[nr++].rule = rules[i].name;
	}
	return nr;
}

void text_advice(const struct report *r, const struct span *s)
{
	struct advice list[MAX_ADVICE];
	int nr = advise(s->counters, s->holders, s->nr_holders, list);

	if (nr)
		fprintf(r->out, "\nadvice\n");
	for (int i = 0; i < nr; i++) {
		fprintf(r->out, "- ");
		print_wrapped(r->out, list[i].text, 2);
	}
}

void json_advice(struct json_object *o, const struct span *s)
{
	struct json_object *array = json_array();
	struct advice list[MAX_ADVICE];
	int nr = advise(s->counters, s->holders, s->nr_holders, list);

	for (int i = 0; i < nr; i++) {
		struct json_object *one = json_new();

		add_str(one, "rule", list[i].rule);
		add_str(one, "text", list[i].text);
		json_append(array, one);
	}
	add_value(o, "advice", array);
}
