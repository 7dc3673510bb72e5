// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* What the frames of stacks read like: see stacks.h. */
#include "counters/stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* qsort() hands nothing on to its comparison. */
static const struct stack_row *sorted;

static int by_sections(const void *a, const void *b)
{
	const int x = *(const int *)a, y = *(const int *)b;

	if (sorted[x].sections != sorted[y].sections)
		return sorted[x].sections > sorted[y].sections ? -1 : 1;
	return x - y;
}

int stacks_sort(const struct stacks *s, int ids[MAX_STACKS])
{
	int nr = 0;

	for (int id = FIRST_STACK; id < MAX_STACKS; id++)
		if (s->rows[id].used && s->rows[id].sections)
			ids[nr++] = id;
	sorted = s->rows;
	qsort(ids, (size_t)nr, sizeof(ids[0]), by_sections);
	return nr;
}

/* The functions of the tracepoint, also as ThinLTO leaves them, and what runs its programs: our frames. */
static bool is_own(const char *name)
{
	static const char *const ours[] = { "__traceiter_mmap_lock_", "__mmap_lock_do_trace_",
					    "__do_trace_mmap_lock_", "__bpf_trace_mmap_lock_",
					    "bpf_trace_run" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (!strncmp(name, ours[i], strlen(ours[i])))
			return true;
	return false;
}

static const struct stack_name *name_at(const struct stacks *s, __u32 id)
{
	return id && id < MAX_STACK_NAMES && s->names[id].used ? &s->names[id] : NULL;
}

/* The kernel ends each part. */
static int length_of(const char part[NAME_PART])
{
	return (int)strnlen(part, NAME_PART);
}

int stacks_user_frames(const struct stack_row *row)
{
	return row->nr_user < STACK_DEPTH ? (int)row->nr_user : STACK_DEPTH;
}

int stacks_kernel_frames(const struct stacks *s, const struct stack_row *row)
{
	int nr = row->nr_kernel < STACK_DEPTH ? (int)row->nr_kernel : STACK_DEPTH, own = 0;

	for (int i = 0; i < nr; i++) {
		const struct stack_name *name = name_at(s, row->kernel.names[i]);

		if (name && is_own(name->parts[0]))
			own = i + 1;
	}
	return nr - own;
}

/* Put the path of @name at the begin of @text. Returns its length. */
static int put_path(const struct stack_name *name, bool base, char text[FRAME_TEXT])
{
	int levels = name->levels < NAME_LEVELS ? (int)name->levels : NAME_LEVELS, used = 0;

	if (base && levels)
		levels = 1;
	else if (name->cut)
		used = sprintf(text, "...");
	for (int level = levels - 1; level >= 0; level--)
		used += sprintf(text + used, "%s%.*s", base ? "" : "/",
				length_of(name->parts[level]), name->parts[level]);
	if (name->deleted)
		used += sprintf(text + used, " (deleted)");
	return used;
}

void stacks_user_frame(const struct stacks *s, const struct stack_row *row, int frame, bool base,
		       char text[FRAME_TEXT])
{
	int i = stacks_user_frames(row) - 1 - frame;
	const struct stack_name *name = name_at(s, row->user.names[i]);
	int used = name ? put_path(name, base, text) : 0;

	snprintf(text + used, (size_t)(FRAME_TEXT - used), "%s0x%llx", name ? "+" : "",
		 row->user.at[i]);
}

/* %ps prints the address where it knows no symbol. */
static bool is_symbol(const char *name)
{
	return *name && strncmp(name, "0x", 2) != 0;
}

/* A function's name may need more than one part of the row. */
void stacks_kernel_frame(const struct stacks *s, const struct stack_row *row, int frame,
			 char text[FRAME_TEXT])
{
	int nr = row->nr_kernel < STACK_DEPTH ? (int)row->nr_kernel : STACK_DEPTH;
	int i = nr - 1 - frame;
	const struct stack_name *name = name_at(s, row->kernel.names[i]);

	if (name && is_symbol(name->parts[0]))
		snprintf(text, FRAME_TEXT, "%.*s", NAME_LEVELS * NAME_PART,
			 (const char *)name->parts);
	else
		/* Its address would tell where the kernel is. */
		snprintf(text, FRAME_TEXT, "[unknown]");
}
