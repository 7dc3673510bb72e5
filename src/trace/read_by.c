// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* --by: sizing the table of targets, and reading it. */
#include "trace/tracer.h"
#include "trace/tracer_private.h"

#include <stdlib.h>
#include <string.h>

/* The test build can have a table that is soon full. */
static __u32 rows_asked_for(void)
{
#ifdef INJECT_SKIPS
	const char *rows = getenv("UFFDRETRY_BY_ROWS");
	int nr = rows ? atoi(rows) : 0;

	if (nr > 0 && nr < BY_ROWS)
		return (__u32)nr;
#endif
	return BY_ROWS;
}

void size_by(struct tracer *t, enum by by)
{
	const __u32 rows = by ? rows_asked_for() : 0;

	t->skel->rodata->cfg_by = by;
	bpf_map__set_max_entries(t->skel->maps.by_rows, rows + 1);
	bpf_map__set_max_entries(t->skel->maps.by_ids, rows ?: 1);
}

/* The programs add to it meanwhile: each counter is read at once. */
static void read_row(struct by_row *to, const struct by_row *from)
{
	const __u64 *f = (const __u64 *)from;
	__u64 *t = (__u64 *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*t); i++)
		t[i] = __atomic_load_n(&f[i], __ATOMIC_RELAXED);
}

void tracer_read_by(const struct tracer *t, const struct counters *c, struct by_table *table)
{
	__u64 nr = t->skel->bss->last_by.value + 1;

	table->nr = (__u32)(nr < t->rows[ROWS_BY].keys ? nr : t->rows[ROWS_BY].keys);
	table->unseen = c->unseen;
	table->doubtful = c->doubtful;
	for (__u32 id = 0; id < table->nr; id++) {
		const struct by_row *row = rows_at(&t->rows[ROWS_BY], 0, id);

		/* The key is written before. */
		if (!__atomic_load_n(&row->used, __ATOMIC_ACQUIRE) && id)
			memset(&table->rows[id], 0, sizeof(*row));
		else
			read_row(&table->rows[id], row);
	}
}
