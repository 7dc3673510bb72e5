// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Failed copies, and mmap_changing raised and lowered: see event_other.h. */
#include "report/event_other.h"
#include "counters/counters.h"
#include "report/sections/failures.h"
#include "sys/json_lines.h"

#include <errno.h>

const char *errno_text(__u32 err)
{
	return returned_name(err < NR_RETURNED ? err : RETURNED_OTHER) ?: "other";
}

static const char *fail_text(__u32 fail)
{
	return fail < NR_FAIL_ERRNOS ? fail_errno_names[fail] : "other";
}

/* The index of a site's words. */
static enum fail_site site_of(__u32 site)
{
	return site < NR_SITES ? site : SITE_UNKNOWN;
}

/* Was the call refused because an event was unread? */
static bool by_event(const struct failed_copy *f, enum fail_site site)
{
	return f->err == EAGAIN && cause_of_site(site) <= CAUSE_RELOCK_MMAP_CHANGING;
}

static void say_raiser(struct event_line *l, const struct failed_copy *f)
{
	char who[HOLDER_LEN] = "an unknown task";

	if (f->raised)
		holder_name(&f->who, who);
	line_say(l, ", by %s", who);
}

void say_failed_copy(struct event_line *l, const struct failed_copy *f)
{
	enum fail_site site = site_of(f->site), stop = site_of(f->stop_site);

	l->kind = "copy";
	l->class = errno_text(f->err);
	if (site == SITE_SHORT)
		line_say(l, " short: %llu of %llu bytes, then %s: %s", f->copied, f->len,
			 fail_text(f->stop_fail), site_meanings[stop] ?: "-");
	else if (by_event(f, site))
		line_say(l, " event unread at %s", site_names[site]);
	else
		line_say(l, " failed: %s",
			 f->err == EAGAIN ? cause_meanings[cause_of_site(site)]
					  : site_meanings[site]);
	if (f->raised || by_event(f, site))
		say_raiser(l, f);
}

const char *changed_text(const struct changed *c)
{
	static char text[HOLDER_LEN + 16];
	char call[HOLDER_LEN];

	holder_call(&c->who, call);
	snprintf(text, sizeof(text), "%s by %s",
		 changing_event_names[c->who.op < NR_CHANGING_OPS ? c->who.op : 0], call);
	return text;
}

void say_changed(struct event_line *l, const struct event *e)
{
	const struct changed *c = &e->changed;

	l->kind = "event";
	l->class = event_kind_names[e->what == EVENT_RAISED ? EVENT_RAISED : EVENT_LOWERED];
	line_say(l, " %s, pid %u", changed_text(c), e->pid);
	if (e->what == EVENT_RAISED)
		return;
	l->has_took = true;
	l->took_ns = c->held_ns;
	line_say(l, ", refused %llu", c->refused);
}

/* What stopped a short copy. */
static void add_short(struct json_object *o, const struct failed_copy *f)
{
	struct json_object *stop = add_object(o, "short_copy");

	add_u64(stop, "bytes", f->copied);
	add_str(stop, "errno", fail_text(f->stop_fail));
	add_str(stop, "place", site_names[site_of(f->stop_site)]);
}

static void add_raiser(struct json_object *o, const struct failed_copy *f)
{
	struct json_object *who = add_object(o, "raised_by");
	char comm[COMM_LEN + 1];

	copy_comm(f->who.comm, comm);
	json_holder_call(who, &f->who);
	add_u64(who, "pid", f->who.tgid);
	add_str(who, "comm", comm);
}

void json_failed_copy(struct json_object *o, const struct failed_copy *f, __u64 dst)
{
	enum fail_site site = site_of(f->site);

	if (f->readable) {
		add_u64(o, "dst", dst);
		add_u64(o, "len", f->len);
	} else {
		add_null(o, "dst");
		add_null(o, "len");
	}
	add_str(o, "errno", errno_text(f->err));
	add_str(o, "place", site_names[site]);
	add_str(o, "cause", f->err == EAGAIN ? cause_names[cause_of_site(site)] : NULL);
	if (site == SITE_SHORT)
		add_short(o, f);
	else
		add_null(o, "short_copy");
	if (f->raised)
		add_raiser(o, f);
	else
		add_null(o, "raised_by");
}

void json_changed(struct json_object *o, const struct event *e)
{
	const struct changed *c = &e->changed;
	struct json_object *range = NULL;

	json_holder_call(o, &c->who);
	if (c->end > e->dst) {
		range = add_object(o, "range");
		add_u64(range, "start", e->dst);
		add_u64(range, "end", c->end);
	} else {
		add_null(o, "range");
	}
	if (e->what == EVENT_LOWERED) {
		add_u64(o, "held_ns", c->held_ns);
		add_u64(o, "refused", c->refused);
	} else {
		add_null(o, "held_ns");
		add_null(o, "refused");
	}
}
