// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Mapping the counters of the BPF programs: why, says bpf/count.bpf.h. */
#include "trace/tracer_private.h"

#include <errno.h>
#include <sys/mman.h>

static struct bpf_map *map_of(const struct tracer *t, enum row_map which)
{
	struct bpf_map *const maps[NR_ROW_MAPS] = {
		[ROWS_TOTALS] = t->skel->maps.totals,
		[ROWS_FAILURES] = t->skel->maps.failures,
		[ROWS_WINDOW_HISTS] = t->skel->maps.window_hists,
		[ROWS_BEGIN_HIST] = t->skel->maps.begin_hist,
		[ROWS_RELOCK_HISTS] = t->skel->maps.relock_hists,
		[ROWS_CHAIN_HIST] = t->skel->maps.chain_hist,
		[ROWS_WRITERS] = t->skel->maps.writer_rows,
		[ROWS_BY] = t->skel->maps.by_rows,
		[ROWS_STACKS] = t->skel->maps.stack_rows,
		[ROWS_STACK_NAMES] = t->skel->maps.stack_names,
	};

	return maps[which];
}

int size_rows(struct tracer *t)
{
	int err = 0;

	for (int i = 0; i < NR_ROW_MAPS && !err; i++) {
		struct bpf_map *map = map_of(t, i);

		t->rows[i].keys = bpf_map__max_entries(map);
		if (i < ROWS_WRITERS)
			err = bpf_map__set_max_entries(map, t->rows[i].keys * (__u32)t->nr_cpus);
	}
	return err;
}

/* The kernel rounds each row up to 8 bytes. */
static int open_map(struct rows *r, const struct bpf_map *map)
{
	void *mem;
	int fd;

	/* Of an option that was not given. */
	if (!bpf_map__autocreate(map))
		return 0;
	fd = bpf_map__fd(map);
	if (fd < 0)
		return fd;
	r->row = (bpf_map__value_size(map) + 7UL) & ~7UL;
	r->bytes = r->row * bpf_map__max_entries(map);
	mem = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	r->mem = mem;
	return 0;
}

int open_rows(struct tracer *t)
{
	int err = 0;

	for (int i = 0; i < NR_ROW_MAPS && !err; i++)
		err = open_map(&t->rows[i], map_of(t, i));
	return err;
}

void close_rows(struct tracer *t)
{
	for (int i = 0; i < NR_ROW_MAPS; i++)
		if (t->rows[i].mem)
			munmap((void *)t->rows[i].mem, t->rows[i].bytes);
}
