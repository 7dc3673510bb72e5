// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* --stacks: its maps, which are created only then, and where the loader sees them. */
#include "counters/stacks.h"
#include "trace/tracer.h"
#include "trace/tracer_private.h"

_Static_assert(sizeof(struct stack_row) % 8 == 0, "the rows of the map are an array");
_Static_assert(sizeof(struct stack_name) % 8 == 0, "the rows of the map are an array");

void size_stacks(struct tracer *t, bool stacks)
{
	struct bpf_map *const maps[] = {
		t->skel->maps.stack_rows,     t->skel->maps.stack_ids,
		t->skel->maps.stack_in_hand,  t->skel->maps.stack_names,
		t->skel->maps.stack_name_ids,
	};

	t->skel->rodata->cfg_stacks = stacks;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		bpf_map__set_autocreate(maps[i], stacks);
}

void tracer_stacks(const struct tracer *t, struct stacks *s)
{
	s->rows = rows_at(&t->rows[ROWS_STACKS], 0, 0);
	s->names = rows_at(&t->rows[ROWS_STACK_NAMES], 0, 0);
}
