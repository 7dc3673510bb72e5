// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Describing and sorting the writers of an mm: see writers.h. */
#include "counters/writers.h"
#include "counters/names.h"
#include "counters/syscalls.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void writer_shapes_fill(struct writer_shape shapes[NR_WRITER_SHAPES])
{
	memset(shapes, 0, NR_WRITER_SHAPES * sizeof(*shapes));
	for (const struct syscall_row *row = syscall_rows; row->name; row++)
		shapes[row->nr] = row->shape;
}

static void say(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? "|" : "", more);
}

/* Bits without a name are shown as one number. */
static void say_bits(char *text, size_t size, const struct word *words, __u32 bits)
{
	char rest[16];

	for (; words->name; words++) {
		if (!(bits & words->value))
			continue;
		say(text, size, words->name);
		bits &= ~words->value;
	}
	if (!bits)
		return;
	snprintf(rest, sizeof(rest), "0x%x", bits);
	say(text, size, rest);
}

static void say_value(char *text, size_t size, const struct word *words, __u32 value)
{
	const char *name = word_name(words, value);

	if (name)
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "0x%x", value);
}

static void describe_argument(const struct syscall_row *row, __u32 sub, struct writer_text *text)
{
	const char *request;

	switch (row->sub_kind) {
	case SUB_NONE:
		break;
	case SUB_BITS:
		say_bits(text->flags, sizeof(text->flags), row->words,
			 row->forks ? sub & ~(__u32)CSIGNAL : sub);
		break;
	case SUB_VALUE:
		say_value(text->flags, sizeof(text->flags), row->words, sub);
		break;
	case SUB_ADVICE:
		say_value(text->advice, sizeof(text->advice), row->words, sub);
		break;
	case SUB_REQUEST:
		request = uffd_request_name(sub);
		if (request)
			snprintf(text->op, sizeof(text->op), "%s", request);
		else
			snprintf(text->flags, sizeof(text->flags), "0x%x", sub);
		break;
	}
}

static bool copies_mm(const struct syscall_row *row, __u32 sub)
{
	return row && row->forks &&
	       (sub & row->shape.everything.mask) == row->shape.everything.value;
}

static void describe_syscall(const struct writer_key *key, struct writer_text *text)
{
	const struct syscall_row *row = syscall_row(key->nr);
	const char *name = any_syscall_name(key->nr);

	if (name)
		snprintf(text->syscall, sizeof(text->syscall), "%s", name);
	else
		snprintf(text->syscall, sizeof(text->syscall), "syscall_%u", key->nr);
	snprintf(text->op, sizeof(text->op), "%s",
		 copies_mm(row, key->sub) ? "fork" : text->syscall);
	if (row)
		describe_argument(row, key->sub, text);
}

void writer_describe(const struct writer_key *key, struct writer_text *text)
{
	memset(text, 0, sizeof(*text));
	memcpy(text->comm, key->comm, sizeof(key->comm));
	if (key->origin == WRITER_SYSCALL) {
		describe_syscall(key, text);
		return;
	}
	snprintf(text->op, sizeof(text->op), "%s", origin_name(key->origin));
	if (key->origin == WRITER_COMPAT)
		snprintf(text->flags, sizeof(text->flags), "nr %u", key->nr);
	if (key->origin == WRITER_KTHREAD && !strcmp(text->comm, "khugepaged"))
		snprintf(text->op, sizeof(text->op), "khugepaged");
}

void writer_words(const struct writer_entry *e, struct writer_text *text)
{
	if (e->words)
		*text = *e->words;
	else
		writer_describe(&e->key, text);
}

struct ranked {
	struct writer_counts counts;
	int id;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->counts.windows != y->counts.windows)
		return x->counts.windows > y->counts.windows ? -1 : 1;
	if (x->counts.sections != y->counts.sections)
		return x->counts.sections > y->counts.sections ? -1 : 1;
	return x->id - y->id;
}

int writers_sort(const struct writer_counts counts[MAX_WRITERS],
		 const struct writer_entry entries[MAX_WRITERS], int ids[MAX_WRITERS])
{
	static struct ranked ranked[MAX_WRITERS];
	int nr = 0;

	for (int i = 0; i < MAX_WRITERS; i++)
		if (entries[i].used && counts[i].sections)
			ranked[nr++] = (struct ranked) { counts[i], i };
	qsort(ranked, (size_t)nr, sizeof(ranked[0]), compare);
	for (int i = 0; i < nr; i++)
		ids[i] = ranked[i].id;
	return nr;
}
