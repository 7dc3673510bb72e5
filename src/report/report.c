// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Dispatch to the text or the JSON report. */
#include "report/report.h"
#include "report/event.h"
#include "report/json.h"
#include "report/sections/targets.h"
#include "report/text.h"

int report_start(const struct report *r)
{
	return r->json ? json_start(r) : text_start(r);
}

int report_span(const struct report *r, const struct span *s)
{
	if (r->json)
		return json_span(r, s);
	if (s->final)
		return text_summary(r, s);
	return r->top ? text_top(r, s) : text_interval(r, s);
}

int report_self_test(const struct report *r, const struct self_test *t)
{
	return r->json ? json_self_test(r, t) : text_self_test(r, t);
}

int report_event(const struct report *r, const struct event *e)
{
	return r->json ? json_event(r, e) : text_event(r, e);
}
