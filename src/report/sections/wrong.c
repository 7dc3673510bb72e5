// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* What this kernel's check let pass and what it refused: see wrong.h. */
#include "report/sections/wrong.h"
#include "counters/counters.h"
#include "report/format.h"
#include "report/sections/advice.h"
#include "report/sections/answer.h"

#include <string.h>

static void check_text(const struct report *r, const struct check_totals *kernel, char *text,
		       size_t size)
{
	if (!strcmp(r->kernel_check, "none"))
		snprintf(text, size, "this kernel has no check");
	else if (!kernel->eagain)
		snprintf(text, size, "this kernel's check %s",
			 kernel->missed ? "let them pass" : "refused 0");
	else
		snprintf(text, size, "this kernel's check %srefused %s%s, %s of them needlessly",
			 kernel->missed ? "let them pass and " : "", N(kernel->eagain),
			 kernel->missed ? " others" : "", N(kernel->spurious));
}

/* The sequence checks that would have missed none of them. */
static const char *better_text(const struct report *r, const struct totals *t)
{
	const bool mm = report_tells_check(r, CHECK_PER_MM_SEQ) &&
			!t->checks[CHECK_PER_MM_SEQ].missed;
	const bool vma = report_tells_check(r, CHECK_PER_VMA_SEQ) &&
			 !t->checks[CHECK_PER_VMA_SEQ].missed;

	return mm && vma ? "; a per-VMA or a per-MM check would refuse them all"
	       : mm	 ? "; a per-MM check would refuse them all"
			 : "";
}

void text_wrong(const struct report *r, const struct span *s)
{
	const struct totals *t = &s->counters->totals;
	const struct check_totals *kernel = &t->checks[CHECK_KERNEL];
	const __u64 reached = windows_reached(t);
	const char *windows = reached == 1 ? "window" : "windows";
	char check[96];

	check_text(r, kernel, check, sizeof(check));
	if (!reached)
		answer(r->out, "WRONG", "no page: that takes a retry window, and %s",
		       windows_missing(s->counters) || s->counters->rehooks
			       ? "none was seen to come to a check"
			       : "none came to a check");
	else if (!kernel->missed)
		answer(r->out, "WRONG", "0 pages filled wrongly in %s %s; %s", N(reached), windows,
		       check);
	else
		answer(r->out, "WRONG",
		       "%s pages filled wrongly in %s %s: the address meant another page%s; %s%s",
		       N(kernel->missed), N(reached), windows,
		       t->meaning_reasons[MEANING_DIFF_CTX] ? " or userfaultfd" : " by then", check,
		       better_text(r, t));
	text_todo(r, s, ABOUT_WRONG);
}
