// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Stacks of the writers met in windows: see stacks.h. */
#include "report/sections/stacks.h"
#include "counters/stacks.h"
#include "report/format.h"
#include "sys/json_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a side is full the frames that called it are missing. */
#define DEEPER "[deeper]"

/* A frame of a folded line: ';' is between two, and the last blank before the number. */
static void put_frame(FILE *out, const char *text, const char *suffix)
{
	char clean[FRAME_TEXT];

	printable(clean, sizeof(clean), text);
	for (char *c = clean; (c = strchr(c, ';')); c++)
		*c = '?';
	fprintf(out, ";%s%s", clean, suffix);
}

/* A folded line but for its number. */
static void put_stack(FILE *out, const struct stacks *s, const struct stack_row *row)
{
	const int user = stacks_user_frames(row), kernel = stacks_kernel_frames(s, row);
	char text[FRAME_TEXT], comm[COMM_LEN + 1], clean[COMM_LEN + 1];

	copy_comm(row->key.comm, comm);
	printable(clean, sizeof(clean), comm);
	for (char *c = clean; (c = strchr(c, ';')); c++)
		*c = '?';
	fputs(clean, out);
	if (user == STACK_DEPTH)
		put_frame(out, DEEPER, "");
	for (int i = 0; i < user; i++) {
		stacks_user_frame(s, row, i, true, text);
		put_frame(out, text, "");
	}
	if (row->nr_kernel == STACK_DEPTH)
		put_frame(out, DEEPER, "_[k]");
	for (int i = 0; i < kernel; i++) {
		stacks_kernel_frame(s, row, i, text);
		put_frame(out, text, "_[k]");
	}
}

struct folded {
	char *text; /* NULL: no memory for it */
	size_t size;
	__u64 sections;
};

static struct folded fold(const struct stacks *s, const struct stack_row *row)
{
	struct folded f = { .sections = row->sections };
	FILE *out = open_memstream(&f.text, &f.size);

	if (!out)
		return f;
	put_stack(out, s, row);
	fclose(out);
	return f;
}

/*
 * Fold @nr rows into lines that differ: rows may differ in addresses alone, as of two calls in one
 * function. Returns how many lines.
 */
static int fold_all(const struct stacks *s, const int *ids, int nr, struct folded *lines)
{
	int used = 0, i;

	for (int row = 0; row < nr; row++) {
		struct folded f = fold(s, &s->rows[ids[row]]);

		for (i = 0; i < used; i++)
			if (f.text && lines[i].text && !strcmp(lines[i].text, f.text))
				break;
		if (i == used) {
			lines[used++] = f;
			continue;
		}
		lines[i].sections += f.sections;
		free(f.text);
	}
	return used;
}

static int by_sections(const void *a, const void *b)
{
	const struct folded *x = a, *y = b;

	if (x->sections != y->sections)
		return x->sections > y->sections ? -1 : 1;
	return strcmp(x->text ?: "", y->text ?: "");
}

void text_stacks(const struct report *r, const struct span *s)
{
	const struct stacks *all = s->stacks;
	struct folded lines[MAX_STACKS];
	int ids[MAX_STACKS], nr;
	__u64 sections = 0;

	if (!all || !r->writers)
		return;
	nr = stacks_sort(all, ids);
	for (int i = 0; i < nr; i++)
		sections += all->rows[ids[i]].sections;
	fprintf(r->out, "\nstacks of %s write sections in windows, folded:\n", N(sections));
	nr = fold_all(all, ids, nr, lines);
	qsort(lines, (size_t)nr, sizeof(lines[0]), by_sections);
	for (int i = 0; i < nr; i++) {
		fprintf(r->out, "%s %llu\n", lines[i].text ?: "[no memory]", lines[i].sections);
		free(lines[i].text);
	}
	if (all->rows[STACK_BEFORE].sections)
		fprintf(r->out, "without a stack: %s, which began before a window was open\n",
			N(all->rows[STACK_BEFORE].sections));
	if (all->rows[STACK_LOST].sections)
		fprintf(r->out, "without a stack: %s, for which there was no room\n",
			N(all->rows[STACK_LOST].sections));
}

/* NULL: the task has no such frames, as a kernel thread has none of user space. */
static struct json_object *user_frames(const struct stacks *s, const struct stack_row *row)
{
	const int nr = stacks_user_frames(row);
	struct json_object *array = nr ? json_array() : NULL;
	char text[FRAME_TEXT];

	if (nr == STACK_DEPTH)
		json_append(array, json_text(DEEPER));
	for (int i = 0; i < nr; i++) {
		stacks_user_frame(s, row, i, false, text);
		json_append(array, json_text(text));
	}
	return array;
}

static struct json_object *kernel_frames(const struct stacks *s, const struct stack_row *row)
{
	const int nr = stacks_kernel_frames(s, row);
	struct json_object *array = nr ? json_array() : NULL;
	char text[FRAME_TEXT];

	if (nr && row->nr_kernel == STACK_DEPTH)
		json_append(array, json_text(DEEPER));
	for (int i = 0; i < nr; i++) {
		stacks_kernel_frame(s, row, i, text);
		json_append(array, json_text(text));
	}
	return array;
}

static struct json_object *stack_row(const struct stacks *s, const struct stack_row *row)
{
	struct json_object *o = json_new();
	char comm[COMM_LEN + 1];

	copy_comm(row->key.comm, comm);
	if (row->key.pid)
		add_u64(o, "pid", row->key.pid);
	else
		add_null(o, "pid");
	add_str(o, "comm", comm);
	add_value(o, "user", user_frames(s, row));
	add_value(o, "kernel", kernel_frames(s, row));
	add_u64(o, "sections", row->sections);
	return o;
}

void json_stacks(struct json_object *o, const struct report *r, const struct span *s)
{
	struct json_object *list, *missing;
	int ids[MAX_STACKS], nr;

	if (!s->stacks)
		return;
	if (!r->writers) {
		add_null(o, "stacks");
		add_null(o, "stacks_missing");
		return;
	}
	list = json_array();
	nr = stacks_sort(s->stacks, ids);
	for (int i = 0; i < nr; i++)
		json_append(list, stack_row(s->stacks, &s->stacks->rows[ids[i]]));
	add_value(o, "stacks", list);
	missing = add_object(o, "stacks_missing");
	add_u64(missing, "before", s->stacks->rows[STACK_BEFORE].sections);
	add_u64(missing, "lost", s->stacks->rows[STACK_LOST].sections);
}
