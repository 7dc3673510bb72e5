// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* What both formats of the report share. */
#include "report/report.h"
#include "sys/json.h"

#include <ctype.h>
#include <string.h>

/* Append to @text what fits, with anything a terminal could act on as '?'. */
static void append(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	for (; *more && used + 1 < size; more++)
		text[used++] = isprint((unsigned char)*more) ? *more : '?';
	text[used] = '\0';
	if (*more && used >= 3)
		memcpy(text + used - 3, "...", 3);
}

void printable(char *text, size_t size, const char *from)
{
	text[0] = '\0';
	append(text, size, from);
}

void target_text(const struct report *r, char *text, size_t size)
{
	char number[16];

	text[0] = '\0';
	if (r->command) {
		for (int i = 0; r->command[i]; i++) {
			append(text, size, i ? " " : "");
			append(text, size, r->command[i]);
		}
		return;
	}
	if (r->target && r->target->cgroup) {
		append(text, size, "cgroup ");
		append(text, size, r->target->cgroup);
		return;
	}
	if (!r->target || !r->target->nr) {
		append(text, size, "every process");
		return;
	}
	append(text, size, r->target->nr == 1 ? "PID " : "PIDs ");
	for (int i = 0; i < r->target->nr; i++) {
		snprintf(number, sizeof(number), "%s%d", i ? ", " : "", r->target->pids[i]);
		append(text, size, number);
	}
}

bool report_sees(const struct report *r, enum dst_kind kind)
{
	return kind != KIND_HUGETLB || r->sees_hugetlb;
}

bool report_tells_class(const struct report *r, enum window_class class)
{
	return class != CLASS_LOCKED || r->seq != SEQ_NONE;
}

bool report_tells_check(const struct report *r, enum check check)
{
	return (check != CHECK_PER_VMA_SEQ && check != CHECK_PER_MM_SEQ) || r->seq != SEQ_NONE;
}

int report_start(const struct report *r)
{
	char who[56];

	if (r->json)
		return json_start(r);
	target_text(r, who, sizeof(who));
	fprintf(stderr, "Tracing UFFDIO_COPY of %s%s (plan %s, self-test %s). Ctrl-C ends.\n", who,
		r->in_pid_ns && r->target && r->target->nr ? " of this pid namespace" : "", r->plan, r->self_test);
	return 0;
}

int report_self_test(const struct report *r, const struct self_test *t)
{
	if (r->json)
		return json_self_test(r, t);
	fprintf(r->out, "plan %s: self-test %s, %d windows\n", r->plan, r->self_test, t->windows);
	return fflush(r->out) || ferror(r->out) ? -1 : 0;
}

int report_span(const struct report *r, const struct span *s)
{
	if (r->json)
		return json_span(r, s);
	return s->final ? text_summary(r, s) : text_interval(r, s);
}
