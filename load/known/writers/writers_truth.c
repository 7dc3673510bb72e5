// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The truth of `uffdload writers`: one row for each writer that must be named, with its windows and
// write sections.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "known/writers/writers.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static struct row *find_row(struct writers_truth *t, const struct expected *e)
{
	size_t i;

	for (i = 0; i < t->nr_rows; i++) {
		const struct expected *r = &t->rows[i].expected;

		if (same_text(r->op, e->op) && same_text(r->syscall, e->syscall) &&
		    same_text(r->advice, e->advice) && same_text(r->flags, e->flags) &&
		    r->who == e->who && r->covers == e->covers)
			return &t->rows[i];
	}
	if (t->nr_rows == ROWS_MAX)
		errx(EXIT_FAILURE, "more rows than ROWS_MAX");
	t->rows[t->nr_rows].expected = *e;
	return &t->rows[t->nr_rows++];
}

static void add_writer(struct writers_truth *t, struct expected e)
{
	struct row *row;

	e.covers &= !e.by_vma_lock || t->has_vma_locks;
	row = find_row(t, &e);
	row->windows++;
	row->sections += e.sections ? (uint64_t)e.sections : 1;
}

static void add_truth(struct writers_truth *t, size_t n)
{
	const struct operation *op = operations[n];
	size_t i;

	if (t->silent[n])
		return;
	t->moved += op->writers[0].op != NULL;
	for (i = 0; i < ARRAY_SIZE(op->writers) && op->writers[i].op; i++)
		add_writer(t, op->writers[i]);
}

void writers_judge(struct writers_truth *t, size_t n, int copy_err)
{
	const struct operation *op = operations[n];
	int want = op->gone ? ENOENT : 0;

	truth_add_copy(&t->truth, copy_err, copy_err ? 0 : PAGE);
	t->truth.windows++;
	add_truth(t, n);
	if (copy_err == want)
		return;
	warnx("%s: the copy returned %s, expected %s", op->name, errno_name(copy_err),
	      errno_name(want));
	t->failures++;
}

static struct json_object *text_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *row_json(const struct writers *w, const struct row *row)
{
	const struct expected *e = &row->expected;
	struct json_object *o = json_object_new_object();
	char comm[16] = "";

	if (e->who == BY_IO_WORKER)
		snprintf(comm, sizeof(comm), "iou-wrk-%d", (int)getpid());
	json_object_object_add(o, "op", json_object_new_string(e->op));
	json_object_object_add(o, "syscall",
			       text_or_null(!e->syscall		      ? e->op
					    : strcmp(e->syscall, "-") ? e->syscall
								      : NULL));
	json_object_object_add(o, "advice", text_or_null(e->advice));
	json_object_object_add(o, "flags", text_or_null(e->flags));
	json_object_object_add(o, "comm",
			       json_object_new_string(e->who == BY_OTHER	? OTHER_COMM
						      : e->who == BY_KHUGEPAGED ? "khugepaged"
						      : e->who == BY_IO_WORKER	? comm
										: "uffdload"));
	/* No load knows khugepaged's. */
	json_object_object_add(o, "pid",
			       e->who == BY_KHUGEPAGED
				       ? NULL
				       : json_object_new_int(e->who == BY_OTHER ? w->other.pid
										: getpid()));
	json_object_object_add(o, "covers_dst", json_object_new_boolean(e->covers));
	json_object_object_add(o, "windows", json_object_new_uint64(row->windows));
	json_object_object_add(o, "sections",
			       e->many ? NULL : json_object_new_uint64(row->sections));
	return o;
}

int writers_report(const struct writers *w, const struct writers_truth *t)
{
	struct json_object *o = truth_head("writers", 0), *windows = json_object_new_object();
	struct json_object *rows = json_object_new_array(), *skipped = json_object_new_array(),
			   *one;
	size_t i, ran = 0;
	int err;

	json_object_object_add(o, "runs", json_object_new_uint64(w->options->runs));
	truth_put_copy(o, &t->truth);
	json_object_object_add(windows, "total", json_object_new_uint64(t->truth.windows));
	json_object_object_add(windows, "with_writers", json_object_new_uint64(t->moved));
	json_object_object_add(o, "windows", windows);
	for (i = 0; i < t->nr_rows; i++)
		json_object_array_add(rows, row_json(w, &t->rows[i]));
	json_object_object_add(o, "writers", rows);
	for (i = 0; i < nr_operations; i++) {
		if (!t->lacks[i]) {
			ran++;
			continue;
		}
		one = json_object_new_object();
		json_object_object_add(one, "name", json_object_new_string(operations[i]->name));
		json_object_object_add(one, "reason",
				       json_object_new_string(errno_name(t->lacks[i])));
		json_object_array_add(skipped, one);
	}
	json_object_object_add(o, "operations", json_object_new_uint64(ran));
	json_object_object_add(o, "skipped", skipped);
	json_object_object_add(o, "failures", json_object_new_uint64(t->failures));
	err = print_json(o);
	json_object_put(o);
	return err;
}
