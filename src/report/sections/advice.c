// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The rules behind the advice: each tests the counters and words its advice. */
#include "report/sections/advice.h"
#include "counters/counters.h"
#include "report/format.h"
#include "report/sections/answer.h"
#include "report/sections/failures.h"
#include "sys/json_lines.h"

/* A rule needs this many cases, and a tenth of all. */
#define ENOUGH 10

struct facts {
	const struct span *s;
	const struct counters *c;
	const struct failures *f;
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

static bool pending_event(const struct facts *f, char *text, size_t size)
{
	const __u64 all = failures_by_event(f->f);
	/* Refusals of other fill ioctls may be among the stuck ones. */
	const __u64 n = all > f->f->refused_stuck ? all - f->f->refused_stuck : 0;
	const struct holder_row *h = worst_holder(f->s);
	char who[HOLDER_LEN];
	bool alone;

	if (!enough(n, f->eagain) || !h)
		return false;
	holder_text(h, who);
	alone = refused_all(h, f->s);
	snprintf(text, size,
		 "%llu of %llu EAGAIN: %s %s%s was pending (%s); read the event queue before retrying",
		 n, f->eagain, alone ? "a" : "an event, most often",
		 changing_event_names[h->who.op < NR_CHANGING_OPS ? h->who.op : 0],
		 alone ? " event" : ",", who);
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

static bool not_registered(const struct facts *f, char *text, size_t size)
{
	const __u64 n = failures_of_errno(f->f, FAIL_ENOENT);

	if (n < ENOUGH || n < f->c->totals.calls / 100)
		return false;
	snprintf(text, size,
		 "%llu of %llu copies failed with ENOENT: no mapping that is registered with the userfaultfd was there; "
		 "wait until it is registered, or drop the page",
		 n, f->c->totals.calls);
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
	enum about about;
	const char *todo;
} rules[] = {
	{ "stuck", stuck, ABOUT_EAGAIN,
	  "open a new userfaultfd: no retry can succeed (a kernel bug)" },
	{ "pending_event", pending_event, ABOUT_EAGAIN,
	  "on EAGAIN read() all events, drop removed pages, retry the others" },
	{ "wrong_page", wrong_page, ABOUT_WRONG,
	  "program: do not remap or re-register ranges it copies to (-e: where)" },
	{ "short_copies", short_copies, ABOUT_EAGAIN,
	  "`copy` above 0 is progress: go on after these bytes, that call tells the error" },
	{ "changed_mapping", changed_mapping, ABOUT_EAGAIN,
	  "look up the mapping before retrying: it was remapped or registered anew" },
	{ "false_alarms", false_alarms, ABOUT_EAGAIN,
	  "retry at once: the destination still means the same page (class false_alarm)" },
	{ "not_registered", not_registered, ABOUT_EAGAIN,
	  "on ENOENT wait until the range is registered (again), or drop the page" },
	{ "wake_after_eexist", wake_after_eexist, ABOUT_EAGAIN,
	  "on EEXIST the page is there already: UFFDIO_WAKE its waiters, and go on" },
	{ "unmapped_source", unmapped_source, ABOUT_OTHER, NULL },
};

int advise(const struct span *s, struct advice list[MAX_ADVICE])
{
	const struct facts f = {
		.s = s,
		.c = s->counters,
		.f = &s->counters->failures,
		.eagain = failures_of_errno(&s->counters->failures, FAIL_EAGAIN),
	};
	int nr = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && nr < MAX_ADVICE; i++) {
		if (!rules[i].applies(&f, list[nr].text, sizeof(list[nr].text)))
			continue;
		list[nr].rule = rules[i].name;
		list[nr].about = rules[i].about;
		list[nr++].todo = rules[i].todo;
	}
	return nr;
}

void text_todo(const struct report *r, const struct span *s, enum about about)
{
	struct advice list[MAX_ADVICE];
	const int nr = advise(s, list);

	for (int i = 0; i < nr; i++) {
		if (list[i].about != about)
			continue;
		answer(r->out, "", "-> %s", list[i].todo);
		return;
	}
}

void text_advice(const struct report *r, const struct span *s)
{
	struct advice list[MAX_ADVICE];
	const int nr = advise(s, list);
	bool head = false, told[NR_ABOUT] = {};

	for (int i = 0; i < nr; i++) {
		const enum about about = list[i].about;
		/* The first screen has the first of each. */
		const bool skip = !r->verbose && about != ABOUT_OTHER && !told[about];

		told[about] = true;
		if (skip)
			continue;
		fprintf(r->out, "%s- ", head ? "" : "\nadvice\n");
		head = true;
		print_wrapped(r->out, list[i].text, 2);
	}
}

void json_advice(struct json_object *o, const struct span *s)
{
	struct json_object *array = json_array();
	struct advice list[MAX_ADVICE];
	const int nr = advise(s, list);

	for (int i = 0; i < nr; i++) {
		struct json_object *one = json_new();

		add_str(one, "rule", list[i].rule);
		add_str(one, "text", list[i].text);
		json_append(array, one);
	}
	add_value(o, "advice", array);
}
